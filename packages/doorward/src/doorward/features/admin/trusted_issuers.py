"""Administration of trusted issuers: create, find, update, allow a workload, disable, delete, and try one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from doorward.core import text
from doorward.core.model.actor import Actor
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.trusted_issuer import ISSUER_PREFIX, IssuerRule, TrustedIssuer
from doorward.features.admin.access import parse_access
from doorward.features.admin.commit import ConfigAdmin
from doorward.features.admin.error import demand, not_found, refused
from doorward.features.admin.lookup import find_client
from doorward.features.admin.operation import operation
from doorward.features.oauth.grants.jwt_bearer.keys import IssuerKeys, IssuerUnavailable
from doorward.features.oauth.grants.jwt_bearer.rules import registration
from doorward.features.oauth.grants.jwt_bearer.trial import Verdict, tried
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Write

MOST_ISSUERS: Final = 200
_ENDING: Final = frozenset({"issuer", "jwks_uri", "jwks", "algorithms", "audiences", "max_lifetime"})
"""Members whose change ends the tokens issued before: what they rest on may not be accepted any more."""


class IssuerFindings(Struct, frozen=True, kw_only=True):
    """What an issuer answers: `problem`, or the algorithms of its keys; and the verdict on a token, if one was given."""

    issuer: TrustedIssuer
    problem: str | None = None
    algorithms: tuple[str, ...] = ()
    keys: int = 0
    verdict: Verdict | None = None


class IssuerAdmin(ConfigAdmin, frozen=True, kw_only=True):
    """Issuers are named by name, id or `iss`, apps by name or id. Every method raises `AdminError` on failure, and every change is
    audited. What a change no longer allows ends now, by one revocation entry for all tokens of the issuer."""

    revoker: Revoker
    keys: IssuerKeys
    issuer: str

    @operation("apps.write")
    async def create(self, actor: Actor, draft: TrustedIssuer) -> TrustedIssuer:
        """Trust an issuer. All members of `draft` count except id, grant_id, created_at, revision and rules."""
        config = await self.config.refresh()
        known = await self.store.trusted_issuers.all()
        if len(known) >= MOST_ISSUERS:
            raise refused("issuers_too_many", limit=MOST_ISSUERS)
        new_id = self.random.new_id(ISSUER_PREFIX)
        made = structs.replace(
            draft,
            id=new_id,
            grant_id=new_id,
            name=text.name(draft.name),
            created_at=self.clock.now(),
            revision=0,
            rules=(),
            disabled_at=None,
        )
        self._check(made, known)
        await self._put(
            actor, "trusted_issuer.created", config, made, self.store.trusted_issuers.insert(made)
        )
        return made

    @operation("apps.read")
    async def find(self, actor: Actor) -> Sequence[TrustedIssuer]:
        """All issuers, by name."""
        return sorted(await self.store.trusted_issuers.all(), key=lambda one: one.name.casefold())

    @operation("apps.read")
    async def get(self, actor: Actor, issuer: str) -> TrustedIssuer:
        """One issuer."""
        return await self._named(issuer)

    @operation("apps.write")
    async def update(self, actor: Actor, issuer: str, changes: Mapping[str, Any]) -> TrustedIssuer:
        """Change members of an issuer: all but id, grant_id, created_at, revision, preset, rules and disabled_at."""
        config = await self.config.refresh()
        known = await self.store.trusted_issuers.all()
        old = _find(known, issuer)
        new = structs.replace(old, **changes)
        new = structs.replace(new, name=text.name(new.name))
        if new == old:
            raise refused("unchanged", noun="issuer", name=old.name)
        self._check(new, [one for one in known if one.id != old.id])
        changed = [
            name for name in TrustedIssuer.__struct_fields__ if getattr(old, name) != getattr(new, name)
        ]
        ends = not _ENDING.isdisjoint(changed) or (old.id_jag and not new.id_jag)
        return await self._replace(
            actor, "trusted_issuer.changed", config, old, new, ends=ends, changed=changed
        )

    @operation("apps.write")
    async def allow(
        self,
        actor: Actor,
        issuer: str,
        rule: str,
        *,
        app: str,
        claims: Mapping[str, str],
        access: Sequence[str] = (),
    ) -> TrustedIssuer:
        """Make an assertion with exactly these claims worth an app; a rule of the same name is replaced, and what it allowed ends.
        `access` narrows the app's permissions, each as `API:permission,permission`."""
        config = await self.config.refresh()
        old = await self._named(issuer)
        client = find_client(config, app)
        made = IssuerRule(
            name=rule, client_id=client.id, claims=dict(claims), access=parse_access(config, access)
        )
        demand(registration.rule_problem(made, old, client))
        replaced = any(one.name == rule for one in old.rules)
        rules = (*(one for one in old.rules if one.name != rule), made)
        if rules == old.rules:
            raise refused("unchanged", noun="issuer", name=old.name)
        if len(rules) > registration.MOST_RULES:
            raise refused("issuer_rules_too_many", limit=registration.MOST_RULES)
        return await self._replace(
            actor,
            "trusted_issuer.allowed",
            config,
            old,
            structs.replace(old, rules=rules),
            ends=replaced,
            client_id=client.id,
            rule=rule,
            claims=[f"{name}={value}" for name, value in claims.items()],
        )

    @operation("apps.write")
    async def disallow(self, actor: Actor, issuer: str, rule: str) -> TrustedIssuer:
        """Remove a rule; the issuer's tokens end, and those that other rules still allow are issued again on demand."""
        config = await self.config.refresh()
        old = await self._named(issuer)
        rules = tuple(one for one in old.rules if one.name != rule)
        if len(rules) == len(old.rules):
            raise not_found("issuer_rule", rule, [one.name for one in old.rules])
        gone = next(one for one in old.rules if one.name == rule)
        return await self._replace(
            actor,
            "trusted_issuer.disallowed",
            config,
            old,
            structs.replace(old, rules=rules),
            ends=True,
            client_id=gone.client_id,
            rule=rule,
        )

    @operation("apps.write")
    async def disable(self, actor: Actor, issuer: str) -> TrustedIssuer:
        """Accept nothing of this issuer until it is enabled; its tokens end now."""
        config = await self.config.refresh()
        old = await self._named(issuer)
        if old.disabled_at is not None:
            raise refused("unchanged", noun="issuer", name=old.name)
        new = structs.replace(old, disabled_at=self.clock.now())
        return await self._replace(actor, "trusted_issuer.disabled", config, old, new, ends=True)

    @operation("apps.write")
    async def enable(self, actor: Actor, issuer: str) -> TrustedIssuer:
        """Accept its assertions again."""
        config = await self.config.refresh()
        old = await self._named(issuer)
        if old.disabled_at is None:
            raise refused("unchanged", noun="issuer", name=old.name)
        new = structs.replace(old, disabled_at=None)
        return await self._replace(actor, "trusted_issuer.enabled", config, old, new, ends=False)

    @operation("apps.write")
    async def delete(self, actor: Actor, issuer: str) -> TrustedIssuer:
        """Trust it no longer; its tokens end now."""
        config = await self.config.refresh()
        old = await self._named(issuer)
        writes = (self.store.trusted_issuers.delete(old), self._end(old))
        await self._put(actor, "trusted_issuer.deleted", config, old, *writes)
        return old

    @operation("apps.read")
    async def examine(self, actor: Actor, issuer: str, token: str | None = None) -> IssuerFindings:
        """What the issuer answers now, and what would become of this assertion. Nothing is issued, and no use is recorded."""
        config = await self.config.refresh()
        found = await self._named(issuer)
        try:
            keys = await self.keys.of(found)
        except IssuerUnavailable as problem:
            return IssuerFindings(issuer=found, problem=str(problem))
        usable = tuple(sorted({key.alg for key in keys.keys}))
        verdict = None
        if token is not None:
            verdict = tried(token, found, keys, config=config, issuer=self.issuer, now=self.clock.now())
        return IssuerFindings(issuer=found, algorithms=usable, keys=len(keys.keys), verdict=verdict)

    def _check(self, new: TrustedIssuer, others: Sequence[TrustedIssuer]) -> None:
        demand(registration.issuer_problem(new, own=self.issuer))
        for other in others:
            if other.issuer == new.issuer or text.same_as(other.name) == text.same_as(new.name):
                raise refused("issuer_taken", name=other.name, issuer=other.issuer)

    async def _named(self, given: str) -> TrustedIssuer:
        return _find(await self.store.trusted_issuers.all(), given)

    def _end(self, issuer: TrustedIssuer) -> Write:
        return self.revoker.tokens_of_grant(issuer.grant_id, now=self.clock.now())

    async def _replace(
        self,
        actor: Actor,
        kind: str,
        config: ConfigSnapshot,
        old: TrustedIssuer,
        new: TrustedIssuer,
        *,
        ends: bool,
        client_id: str | None = None,
        **detail: str | list[str],
    ) -> TrustedIssuer:
        new = structs.replace(new, revision=old.revision + 1)
        writes: list[Write] = []
        if ends:
            # The entry ends every token that begins with the old id, however late it was signed; new ones begin with another.
            new = structs.replace(new, grant_id=self.random.new_id(ISSUER_PREFIX))
            writes.append(self._end(old))
        put = self.store.trusted_issuers.replace(old, new)
        await self._put(actor, kind, config, new, put, *writes, client_id=client_id, **detail)
        return new

    async def _put(
        self,
        actor: Actor,
        kind: str,
        config: ConfigSnapshot,
        issuer: TrustedIssuer,
        *writes: Write,
        client_id: str | None = None,
        **detail: str | list[str],
    ) -> None:
        said: dict[str, str | list[str]] = {"issuer": issuer.id, "name": issuer.name, **detail}
        await self._commit(actor, kind, config, *writes, client_id=client_id, **said)


def _find(known: Sequence[TrustedIssuer], given: str) -> TrustedIssuer:
    wanted = text.same_as(given)
    for one in known:
        if given in {one.id, one.issuer} or text.same_as(one.name) == wanted:
            return one
    raise not_found("issuer", given, [name for one in known for name in (one.name, one.issuer)])
