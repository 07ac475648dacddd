"""Log-out by a provider: its logout token ends exactly the sessions that rest on what ended there (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from msgspec import Struct, structs

from doorward.adapters.logs import logger
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.provider import UpstreamSession
from doorward.core.model.session import Session
from doorward.features.audit.service import AuditLog
from doorward.features.authn.providers.openid import OpenIdProvider
from doorward.features.authn.providers.provider import SignInRefused
from doorward.features.authn.providers.rules.logout_token import UpstreamLogout
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write

CLAIM: Final = "provider_logout"
REASON: Final = "signed_out_by_provider"
_AT_ONCE: Final = 20
"""Sessions that end in one commit: the counter of revocations waits for no more."""
_log = logger("identity_provider")


@final
class ProviderLogout(Struct, frozen=True, kw_only=True):
    """Ends sessions for providers, with their refresh tokens and offline ones, and has their apps told."""

    store: Store
    providers: Mapping[str, OpenIdProvider]
    revoker: Revoker
    audit_log: AuditLog

    async def end(self, name: str, token: str, *, caller: Caller, now: int) -> str | None:
        """End what the token of this provider says. None: it is done, also where nobody is signed in by it; else why the token is
        refused, for the log and the provider. Raises `ProviderUnavailable` while its keys cannot be had."""
        try:
            said = await self.providers[name].logout(token, now=now)
        except SignInRefused as problem:
            return self._refused(name, str(problem))
        for holder in await self._holders(said):
            await self._end_sign_in(holder.holder)
        # read again: a sign-in that ended in between left a session, and one that has lost its proof leaves none
        holders = [one.holder for one in await self._holders(said)]
        found = {holder: await self.store.sessions.get(holder) for holder in holders}
        live = [one for one in found.values() if one is not None and one.ended_at is None]
        # apps may go on without a session: with what they got in one that has ended since, and whose row may be gone
        past = [holder for holder in found if all(one.id != holder for one in live)]
        # before the claim: a token that was only half obeyed is obeyed when it is sent again
        for holder in past:
            await self._end_left(name, holder, caller, now)
        once = self.store.replay_cache.claim(CLAIM, digest(f"{name} {said.jti}").hex(), said.until, now=now)
        if not await self.store.commit(once, *await self._ended(name, live[:_AT_ONCE], caller, now)):
            return self._refused(name, "its jti was used before")
        for start in range(_AT_ONCE, len(live), _AT_ONCE):
            await self.store.commit(*await self._ended(name, live[start : start + _AT_ONCE], caller, now))
        for session in live:
            await self.revoker.late_in(session, now=now, reason=REASON, offline=True)
        return None

    async def _holders(self, said: UpstreamLogout) -> Sequence[UpstreamSession]:
        """What rests on the session that ended; without one on any session of that person. Where both are named, both are meant."""
        identities = self.store.external_identities
        if said.sid is None:
            return (
                ()
                if said.subject is None
                else await identities.sessions_of_subject(said.issuer, said.subject)
            )
        found = await identities.sessions_of_sid(said.issuer, said.sid)
        if said.subject is None:
            return found
        # an ID token need not name a session: then the provider's word for which one ended fits each of that person's
        unnamed = await identities.sessions_of_subject(said.issuer, said.subject)
        known = await identities.by_subject(said.issuer, said.subject)
        theirs = [one for one in found if known is not None and one.factor_id == known.factor_id]
        return [*theirs, *(one for one in unnamed if one.sid is None)]

    async def _end_sign_in(self, sign_in_id: str) -> None:
        """A sign-in in progress loses its proofs."""
        sign_in = await self.store.sign_ins.get(sign_in_id)
        if sign_in is not None and sign_in.done_at is None:
            without = structs.replace(sign_in, account_id=None, proofs=(), session_id=None, consented=False)
            await self.store.commit(self.store.sign_ins.replace(sign_in, without))

    async def _end_left(self, name: str, session_id: str, caller: Caller, now: int) -> None:
        grants = await self.store.grants.live_of_session(session_id, now, limit=1)
        writes = await self.revoker.left_of(session_id, now=now, reason=REASON) if grants else []
        if not writes:
            return
        event = self.audit_log.write(
            "provider.access_ended",
            caller=caller,
            now=now,
            account_id=grants[0].account_id,
            session_id=session_id,
            provider=name,
        )
        await self.store.commit(*writes, event)

    async def _ended(self, name: str, sessions: Sequence[Session], caller: Caller, now: int) -> list[Write]:
        writes: list[Write] = []
        for session in sessions:
            writes += await self.revoker.session(session, now=now, reason=REASON, offline=True)
            writes.append(
                self.audit_log.write(
                    "session.ended",
                    caller=caller,
                    now=now,
                    account_id=session.account_id,
                    session_id=session.id,
                    reason=REASON,
                    provider=name,
                )
            )
        return writes

    def _refused(self, name: str, why: str) -> str:
        # in the log and not in the audit log: anybody can send one (R93)
        _log.warning("identity_provider.logout_refused", provider=name, reason=why)
        return why
