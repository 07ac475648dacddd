"""End of a grant, an API key or an app, and of what rests on them, as writes for the caller's own commit."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.core.model.grant import Grant
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.session import EndReason
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.sessions.rules import bounds
from doorward.features.sessions.rules import revocation as rule
from doorward.storage.sql.store import Store, Write


class GrantRevoker(Struct, frozen=True, kw_only=True):
    """Builds writes; only `late_client` commits. `reason` is stored in the row."""

    store: Store
    random: SecureRandom
    config: ConfigSource
    policy: TokenPolicy

    def grant(self, grant: Grant, *, now: int, reason: EndReason, first: bool = False) -> list[Write]:
        """End one app's grant: its refresh tokens end with it, its access tokens enter the revocation view (RFC 7009 §2.1).

        `first`: the writes are guarded, so that the commit fails if the grant has ended. A request sent a thousand times at once
        makes one entry, not a thousand.
        """
        end = self.store.grants.end_first if first else self.store.grants.end
        api = rule.one_api(grant, self.config.current().clients.get(grant.client_id))
        return [end(grant.id, now, reason), self.tokens_of_grant(grant.id, now=now, audience=api)]

    def tokens_of_grant(self, grant_id: str, *, now: int, audience: str | None = None) -> Write:
        """Revoke the access tokens of a grant, which need not have a row, and those that were exchanged for them. `audience`: its own tokens
        are for this API alone."""
        made = rule.of_all("grant", grant_id, now=now, life=self._life(), audience=audience)
        entry = self.store.revocations.insert(made)
        return self._joined(entry, *self.resting(grant_id, now))

    def api_key(self, key: ApiKey, *, now: int, reason: EndReason) -> list[Write]:
        """End an API key: its secrets, and every token made from it. Guarded: the commit fails if it has ended, or its tokens got another
        prefix."""
        return [self.store.api_keys.end(key, now, reason), self.tokens_of_grant(key.token_prefix, now=now)]

    def lost_roles(self, old: Account, new: Account, *, now: int) -> list[Write]:
        """End the tokens made from API keys of a person who loses a role: the next ones are cut to what is left. So do all that were
        exchanged; the tokens of their apps keep the role until they expire."""
        if set(old.role_names) <= set(new.role_names):
            return []
        cut = self.store.api_keys.cut_of_account(old.id, now, self._until(now))
        return [cut, *self.resting(old.id, now)]

    def cut_at_api(self, audience: str, *, now: int) -> Write:
        """End the tokens made from all API keys for one API, since some of them allow less from now on; and those that were exchanged for
        them, which rest on what the tokens began with."""
        until = self._until(now)
        cut = self.store.api_keys.cut_at_api(audience, now, until)
        if not self._exchanging():
            return cut
        since = now - (until - now)
        return self._joined(self.store.exchanges.end_with_keys(audience, now, until=until, since=since), cut)

    def own_tokens(self, client_id: str, *, iat: int, now: int) -> Write:
        """Revoke all tokens that an app got for itself so far, by one entry; the token issued at `iat` is among them. Guarded: the
        commit fails if an existing entry covers it."""
        entry = bounds.of_all_until_now(client_id, iat=iat, now=now, life=self._life())
        write = self.store.revocations.insert_later(entry, now=now)
        return self._joined(write, *self.resting(client_id, now))

    def client(self, client_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """End a deleted app: its grants, its API keys, and all its access tokens by one entry for its `client_id`. If there are very many
        grants, the periodic cleanup ends the rest; without the app they are useless. Call `late_client` right after the commit."""
        return [
            self.store.grants.end_of_client(client_id, now, reason),
            self.store.api_keys.end_of_client(client_id, now, reason, self._until(now)),
            self.store.revocations.insert(rule.of_client(client_id, now=now, life=self._life())),
            *self.resting(client_id, now),
        ]

    def client_access(self, client_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """End all access of an app that stays: every grant, its API keys, and each token that was issued so far. New ones are valid
        after `SNAPSHOT_LAG` seconds. Call `late_client` right after the commit."""
        return [
            self.store.grants.end_all_of_client(client_id, now, reason),
            self.store.api_keys.end_of_client(client_id, now, reason, self._until(now)),
            self.store.revocations.insert(rule.of_client(client_id, now=now, life=self._life())),
            *self.resting(client_id, now),
        ]

    async def late_client(self, client_id: str, *, ended: int, now: int) -> None:
        """End the access tokens that an app got between `ended`, the time for which `client` or `client_access` made its writes, and their
        commit: until then its grants were live, and no entry names them. Call it right after that commit, with the time `now`."""
        if now > ended:
            entry = rule.of_client(client_id, now=now, life=self._life())
            await self.store.commit(self.store.revocations.insert(entry))

    def resting(self, ref: str, now: int) -> list[Write]:
        """End the token exchanges that rest on a grant, an API key, a trusted issuer, a person or an app; their tokens enter the view. Where
        many grants end together, all that rests on the person ends: the next exchange makes it anew.

        Without an app that may exchange tokens there are none, and a sign-out stays one round trip.
        """
        if not self._exchanging():
            return []
        life = self._until(now) - now
        return [self.store.exchanges.end_with(ref, now, until=now + life, since=now - life)]

    def _exchanging(self) -> Sequence[str]:
        """The apps that may exchange tokens, or could once: the policy of one that may no more stays, and is empty."""
        return [one.id for one in self.config.current().clients.values() if one.exchange is not None]

    def _joined(self, first: Write, *others: Write) -> Write:
        return Write(tuple(step for one in (first, *others) for step in one.steps))

    def _each(self, grants: Sequence[Grant], now: int, reason: EndReason) -> list[Write]:
        return [write for grant in grants for write in self.grant(grant, now=now, reason=reason)]

    def _until(self, now: int) -> int:
        """The expiry of an entry made now for tokens issued before."""
        return now + self._life() + rule.MARGIN

    def _life(self) -> int:
        return rule.longest_living(self.policy, self.config.current())
