"""Events of other issuers: verified, remembered by their `jti`, and obeyed: sessions that rest on that issuer end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from doorward.adapters.logs import logger
from doorward.core.login_name import normalise_email
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.session import Session
from doorward.core.ports.clock import Clock
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.providers.rules.identity import PROVIDED_KINDS
from doorward.features.oauth.slots import KeysOf
from doorward.features.security_events.rules import received as rule
from doorward.features.security_events.rules.received import BadEvent, Named, Received
from doorward.features.security_events.source_settings import EventSourcePolicy
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jws import parse_header, split, verify

CLAIM: Final = "event_source"
REASON: Final = "signed_out_by_provider"
_AT_ONCE: Final = 20
_log = logger("event_source")


class EventRefused(Exception):
    """`code` of RFC 8935 §2.4, and why."""

    def __init__(self, code: str, said: str) -> None:
        self.code = code
        super().__init__(said)


class EventReceiver(Struct, frozen=True, kw_only=True):
    """One event at a time. What is half obeyed is obeyed when it is sent again: its `jti` is remembered last."""

    store: Store
    sources: Mapping[str, EventSourcePolicy]
    keys: KeysOf
    revoker: Revoker
    audit_log: AuditLog
    clock: Clock
    metrics: Metrics

    def authorized(self, name: str, header: str | None) -> bool:
        """Whether a push has the header that the settings demand."""
        wanted = self.sources[name].authorization
        return wanted is None or compare_digest((header or "").encode(), wanted.reveal().encode())

    async def take(self, name: str, token: str, *, caller: Caller) -> None:
        """Obey an event of this source; also for one that is known already, or of a kind that means nothing here. Raises `EventRefused`,
        and `KeysUnavailable` while its keys cannot be had."""
        policy, now = self.sources[name], self.clock.now()
        try:
            said = await self._verified(name, policy, token, now)
        except EventRefused as refused:
            self.metrics.inc("events_received", "refused")
            # in the log and not in the audit log: anybody can send one (R93)
            _log.warning("event_source.refused", source=name, reason=str(refused))
            raise
        self.metrics.inc("events_received", "accepted")
        if said.verification:
            _log.info("event_source.verified", source=name)
        if said.ends and said.whom is not None:
            await self._end(name, policy, said.whom, said, caller, now)
        once = self.store.replay_cache.claim(CLAIM, digest(f"{name} {said.jti}").hex(), said.until, now=now)
        await self.store.commit(once)

    async def _verified(self, name: str, policy: EventSourcePolicy, token: str, now: int) -> Received:
        apple = policy.kind == "apple"
        types = rule.APPLE_TYPES if apple else rule.TYPES
        try:
            kid = parse_header(split(token)[0]).kid
            keys = await self.keys(name, policy.issuer, policy.jwks_uri, kid)
            claims = json_object(verify(token, keys, algorithms=policy.signing_algs, types=types).payload)
        except AuthError as problem:
            code = "invalid_key" if problem.reason in {"signature", "unknown_key"} else "invalid_request"
            raise EventRefused(code, str(problem)) from None
        except Malformed:
            raise EventRefused("invalid_request", "it is no signed token") from None
        try:
            return rule.received(claims, issuer=policy.issuer, audience=policy.audience, apple=apple, now=now)
        except BadEvent as problem:
            raise EventRefused(problem.code, str(problem)) from None

    async def _end(
        self, name: str, policy: EventSourcePolicy, whom: Named, said: Received, caller: Caller, now: int
    ) -> None:
        """End the sessions that began before it happened: an event that comes late ends no newer sign-in."""
        ids = await self._sessions(policy, whom)
        found = [await self.store.sessions.get(one) for one in ids]
        for session in (one for one in found if one is not None and _began(one) <= said.at):
            if session.ended_at is None:
                await self.store.commit(
                    *await self.revoker.session(session, now=now, reason=REASON, offline=True),
                    self._line("session.ended", name, session, said, caller, now),
                )
                await self.revoker.late_in(session, now=now, reason=REASON, offline=True)
            elif left := await self.revoker.left_of(session.id, now=now, reason=REASON):
                await self.store.commit(
                    *left, self._line("provider.access_ended", name, session, said, caller, now)
                )

    async def _sessions(self, policy: EventSourcePolicy, whom: Named) -> Sequence[str]:
        identities, issuer = self.store.external_identities, policy.issuer.rstrip("/")
        if whom.subject is not None:
            resting = list(await identities.sessions_of_subject(issuer, whom.subject))
            if whom.sid is not None:
                # a sign-in without a sid may be the one that ended
                resting = [one for one in resting if one.sid in {whom.sid, None}]
            return [one.holder for one in resting]
        email = None if whom.email is None else normalise_email(whom.email)
        domain = "" if email is None else email.rpartition("@")[2]
        allowed = {one.lower() for one in policy.email_domains}
        account = (
            await self.store.accounts.by_email(email)
            if email is not None and (domain in allowed or "*" in allowed)
            else None
        )
        if account is None:
            return []
        return [one.id for one in await self.store.sessions.live_of(account.id, self.clock.now())]

    def _line(
        self,
        kind: str,
        name: str,
        session: Session,
        said: Received,
        caller: Caller,
        now: int,
    ) -> Write:
        return self.audit_log.write(
            kind,
            caller=caller,
            now=now,
            account_id=session.account_id,
            session_id=session.id,
            provider=name,
            event=said.kind,
            reason=REASON,
        )


def _began(session: Session) -> int:
    """When the session was created (seconds), or the person signed in at the provider, if that was earlier. A step-up, also by another
    factor, renews `auth_time` and the times of the proofs: an event of before it still ends the session."""
    return min([session.created_at, *(proof.at for proof in session.proofs if proof.kind in PROVIDED_KINDS)])
