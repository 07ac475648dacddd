"""Verification of an API key that a request presents, for the token and introspection endpoints (R96)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.core.model.caller import Caller
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.metrics import Metrics
from doorward.features.api_keys.last_use import LastUse
from doorward.features.api_keys.rules import key_format, networks
from doorward.features.api_keys.rules.cut import VerifiedKey, cut
from doorward.features.audit.service import AuditLog
from doorward.features.rate_limits.rules.failures import ClientAuthRateLimiter
from doorward.storage.sql.store import Store

REFUSED: Final = "This API key does not work."
"""The only sentence about a key that was refused: whether it ever existed is nobody's business."""
_TOLD_EVERY: Final = 3600
"""Seconds between two audit events about the use of one key from a foreign network."""


@final
class ApiKeyVerification(Struct, frozen=True, kw_only=True):
    """One read per key. Wrong secrets are counted for the key and for the networks of the caller; the right one always works, so that no
    stranger locks an owner out (R95)."""

    store: Store
    config: ConfigSource
    failures: ClientAuthRateLimiter
    last_use: LastUse
    audit_log: AuditLog
    metrics: Metrics

    async def verify(
        self, text: str, *, address: str, caller: Caller, audiences: Collection[str] | None, now: int
    ) -> VerifiedKey | OAuthError:
        """The key, cut to what its owner may do now. `address` is that of the program that uses the key, `caller` sent the request;
        with `audiences` a key for another API than these is refused. The error is `invalid_grant`, or `invalid_target` for that. Raises
        `StoreUnavailable`."""
        presented = key_format.read(text)
        if presented is None:
            return await self._missed(None, "no key has this form or this checksum", caller, now)
        found = await self.store.api_keys.get(presented.id)
        key, account = found or (None, None)
        secret = key_format.secret_of(key, presented, now)
        if key is None or secret is None:
            reason = f"no key {presented.id}" if key is None else f"a wrong secret for key {presented.id}"
            return await self._missed(key, reason, caller, now)
        if not key.live(now):
            return _refused(f"key {key.id} has {'expired' if key.ended_at is None else 'ended'}")
        if audiences is not None and key.audience not in audiences:
            return OAuthError(
                "invalid_target",
                "This API key is for another API.",
                f"key {key.id} is for {key.audience}, not for {', '.join(sorted(audiences))}",
            )
        if not networks.within(address, key.networks):
            return await self._from_elsewhere(key, address, caller, now)
        return self._owned(key, account, secret, now)

    def _owned(
        self, key: ApiKey, account: Account | None, secret: key_format.Secret, now: int
    ) -> VerifiedKey | OAuthError:
        config = self.config.current()
        client = None if key.account_id is not None else config.clients.get(key.client_id or "")
        allowed = cut(key, account if key.account_id is not None else client, config)
        if not allowed.scopes:
            return _refused(
                f"the owner of key {key.id} may do none of {' '.join(key.scopes)} at {key.audience} now"
            )
        self.last_use.note(key.id, key.used_at, now)
        until = key.expires_at
        if secret == "previous":
            until = min(until, key.previous_until or 0)
        return VerifiedKey(key, allowed, client, until)

    async def _missed(self, key: ApiKey | None, reason: str, caller: Caller, now: int) -> OAuthError:
        self.metrics.inc("api_key_failures")
        # an invented id has no counter: ten thousand of them would push out those of others
        noted = self.failures.note(caller.address, now, also=None if key is None else key.id)
        if noted.audit:
            event = self.audit_log.write(
                "api_key.refused",
                caller=caller,
                now=now,
                account_id=None if key is None else key.account_id,
                client_id=None if key is None else key.client_id,
                ok=False,
                because=reason,
                failures=noted.count,
            )
            await self.store.commit(event)
        say = REFUSED if noted.retry_at is None else "Too many failed attempts."
        return OAuthError("invalid_grant", say, reason, noted.retry_at)

    async def _from_elsewhere(self, key: ApiKey, address: str, caller: Caller, now: int) -> OAuthError:
        """The right key in a wrong place: it may be stolen, so its owner's record names the place."""
        if not address:
            # an API that does not say where its caller is: nobody was anywhere
            return _refused(f"key {key.id} works from its networks only, and the API sent no caller_address")
        reason = f"key {key.id} does not work from {address}"
        once = self.store.replay_cache.claim("api_key_elsewhere", key.id, now + _TOLD_EVERY, now=now)
        event = self.audit_log.write(
            "api_key.used_elsewhere",
            caller=caller,
            now=now,
            account_id=key.account_id,
            client_id=key.client_id,
            ok=False,
            key=key.id,
            name=key.name,
            address=address,
        )
        await self.store.commit(once, event)
        return _refused(reason)


def _refused(reason: str) -> OAuthError:
    return OAuthError("invalid_grant", REFUSED, reason)
