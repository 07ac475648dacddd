"""Roles and profile from a provider's claims, applied at a sign-in as its section says."""

from __future__ import annotations

from typing import Any, Final, final

from msgspec import Struct, structs

from doorward.adapters.logs import logger
from doorward.core.login_name import normalise_name, normalise_zone
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.provider import ExternalIdentity
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.audit.service import AuditLog
from doorward.features.authn.providers.provider import IdentityProvider
from doorward.features.authn.providers.rules.id_token import UpstreamClaims
from doorward.features.authn.providers.rules.mapping import RoleChange, changed_roles, roles_for
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

_TRIES: Final = 5
_log = logger("identity_provider")


@final
class ProviderMapping(Struct, frozen=True, kw_only=True):
    """Changes the account before the sign-in goes on, so that what a role demands is asked for in this sign-in."""

    store: Store
    config: ConfigSource
    audit_log: AuditLog
    revoker: Revoker

    async def apply(
        self,
        provider: IdentityProvider,
        claims: UpstreamClaims,
        identity: ExternalIdentity,
        *,
        first: bool,
        caller: Caller,
        now: int,
    ) -> bool:
        """Give and take what the section maps. `first`: the account was made in this sign-in. A change beside it is kept: it is decided
        again on what is stored then. False: the account changed at every try, and has what an earlier sign-in gave: nobody goes on with it."""
        policy = provider.policy
        if not first and policy.mapping != "each_sign_in":
            return True
        if claims.mapped.elsewhere:
            # dropping the roles would lock people out for being in many groups
            _log.warning("identity_provider.roles_unknown", provider=provider.name, claim=policy.roles_claim)
        for _ in range(_TRIES):
            account = await self.store.accounts.get(identity.account_id)
            known = await self.store.external_identities.by_subject(identity.issuer, identity.subject)
            if account is None or known is None:
                # gone: there is nothing to give, and the sign-in ends on that
                return True
            roles = self._roles(provider, claims, account, known)
            profile = _profile(account, claims)
            new = structs.replace(account, role_names=roles.held, **profile)
            if profile:
                new = structs.replace(new, updated_at=now)
            if new == account and roles.mapped == known.mapped_roles:
                return True
            done = await self.store.commit(
                self.store.accounts.replace(new, old=account),
                *self.revoker.lost_roles(account, new, now=now),
                self.store.external_identities.set_mapped_roles(known.factor_id, roles.mapped),
                self.audit_log.write(
                    "account.mapped",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    provider=provider.name,
                    given=self._names(roles.given),
                    removed=self._names(roles.removed),
                    changed=sorted(profile),
                ),
            )
            if done:
                return True
        _log.warning("identity_provider.mapping_lost", provider=provider.name)
        return False

    def told(self, provider: IdentityProvider, claims: UpstreamClaims) -> tuple[dict[str, str], list[str]]:
        """Members of a new account, and the names of its roles, as the section maps them."""
        roles = roles_for(claims.mapped.values or frozenset(), provider.policy.roles)
        return _told(claims), list(roles)

    def _roles(
        self, provider: IdentityProvider, claims: UpstreamClaims, account: Account, known: ExternalIdentity
    ) -> RoleChange:
        values = claims.mapped.values
        if values is None:
            return RoleChange(held=account.role_names, mapped=known.mapped_roles)
        roles = self.config.current().roles
        wanted: list[str] = []
        for name in roles_for(values, provider.policy.roles):
            role = roles.get(name)
            if role is None:
                _log.warning("identity_provider.role_missing", provider=provider.name, role=name)
                continue
            wanted.append(role.held_as)
        return changed_roles(account.role_names, known.mapped_roles, wanted)

    def _names(self, held: tuple[str, ...]) -> list[str]:
        known = self.config.current().roles_held
        return sorted(known[one].name if one in known else one for one in held)


def _profile(account: Account, claims: UpstreamClaims) -> dict[str, Any]:
    """The members that change."""
    return {member: text for member, text in _told(claims).items() if text != getattr(account, member)}


def _told(claims: UpstreamClaims) -> dict[str, str]:
    """A text that cannot be a member tells nothing."""
    told: dict[str, str] = {}
    for member, text in claims.mapped.profile.items():
        value = normalise_zone(text) if member == "zoneinfo" else normalise_name(text)
        if value:
            told[member] = value
    return told
