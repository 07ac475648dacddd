"""End of a sign-in: the session and the goal are written in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.provider import FEDERATED
from doorward.core.model.session import EndReason, Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.goal import Permitted, Reached
from doorward.features.authn.flow.outcomes import Conflict, Finished
from doorward.features.authn.flow.remembered import HeldDevice
from doorward.features.authn.flow.risk import Judged
from doorward.features.authn.flow.rules.assurance import Achieved, counting
from doorward.features.authn.flow.rules.risk_mark import unmarked
from doorward.features.authn.flow.rules.vouching import to_store
from doorward.features.sessions.revoker import Revoker
from doorward.features.sessions.rules import session as session_rule
from doorward.storage.sql.store import Store, Write

NEW_ACCOUNT = 3600
"""Seconds after the creation of an account in which no mail is sent about a new device."""

DAY = 86_400
MOST_TOLD = 20
"""New devices of a day of which each is told by itself. Anyone with the password can cause them; of further ones one notice waits at a
time, and is told within the hour."""

MOST_SESSIONS = 1000
"""Live sessions per person; the next sign-in ends the one last seen longest ago. Ending all sessions of a person delays the sign-out of
others and notifies the apps of each session, so the number must not be up to the person who signs in."""


class _Opened(Struct, frozen=True, kw_only=True):
    """`secret`: the new cookie value, if there is one; `device_secret`: that of a browser which the account does not know yet; `ended`: the
    sessions that the writes end, with reasons."""

    session: Session
    writes: list[Write]
    secret: str | None = None
    device_secret: str | None = None
    ended: Sequence[tuple[Session, EndReason]] = ()


@final
class SignInCompletion(Struct, frozen=True, kw_only=True):
    """Builds and commits all writes at the end of a sign-in. The row of the sign-in is the guard, so that it ends once."""

    store: Store
    random: SecureRandom
    mail_queue: MailQueue
    revoker: Revoker
    audit_log: AuditLog
    metrics: Metrics
    sessions: SessionPolicy

    async def commit(
        self,
        sign_in: SignIn,
        *,
        account: Account,
        achieved: Achieved,
        permitted: Permitted | None,
        old: Session | None,
        caller: Caller,
        now: int,
        first: Sequence[Write] = (),
        held: HeldDevice | None = None,
        judged: Judged | None = None,
    ) -> Finished | Conflict:
        """`old` is the browser's live session; `permitted` is None for a sign-in to the account pages. `first` are the first writes of
        the commit: a sign-in that starts and ends in one call has no earlier commit. `held`: a remembered device replaced the second
        step. `judged` is what was looked up for a verdict."""
        judged = Judged() if judged is None else judged
        writes: list[Write] = [
            *first,
            self.store.sign_ins.replace(sign_in, structs.replace(sign_in, done_at=now)),
        ]
        opened = await self._session(sign_in, account, achieved, old, caller, now, judged)
        session, secret, ended = opened.session, opened.secret, opened.ended
        writes += opened.writes
        device: list[Write] = []
        if secret is not None:
            # Changes nothing, but fails if the account was disabled or its password changed since it was read: no session is created
            # from an invalid proof (R72).
            writes.append(self.store.accounts.replace(account, old=account))
            about: dict[str, Any] = {} if held is None else {"device": held.id}
            if opened.device_secret is not None:
                about["new_device"] = "yes"
            writes.append(
                self.audit_log.write(
                    "sign_in.succeeded",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    session_id=session.id,
                    method=" ".join(achieved.amr),
                    **about,
                )
            )
            # Every sign-in on a new device is mailed to the owner. The app is visible on a page, but not in a JSON sign-in.
            app = permitted.app_name if permitted is not None and sign_in.handle_hash is not None else None
            device = await self._device(opened, account, app, caller, now)
            writes += judged.at_end
        if any(FEDERATED in proof.amr for proof in sign_in.proofs):
            # so that the session ends with the one at the provider
            writes.append(
                self.store.external_identities.hand_over(
                    sign_in.id, session.id, account.id, session.expires_at
                )
            )
        reached = Reached()
        if permitted is not None:
            reached = await permitted.reach(sign_in, session, achieved, caller=caller, now=now)
            writes += reached.writes
        if held is not None:
            writes += held.writes
        # the device is last: on PostgreSQL the writes before it form one statement (storage/postgres/merge.py)
        if not await self.store.commit(*writes, *device):
            return Conflict(sign_in)
        for gone, reason in ended:
            await self.revoker.late_in(gone, now=now, reason=reason)
        if secret is not None:
            self.metrics.inc("sign_ins", "succeeded")
        if held is not None:
            self.metrics.inc("second_factors", "remembered")
        trust = held.cookie if held is not None else None
        return Finished(
            sign_in, account, session, reached.response, reached.code, secret, opened.device_secret, trust
        )

    async def _session(
        self,
        sign_in: SignIn,
        account: Account,
        achieved: Achieved,
        old: Session | None,
        caller: Caller,
        now: int,
        judged: Judged,
    ) -> _Opened:
        """The session to continue in. It is the old session unchanged, the old one with a new cookie value (step-up), or a new one: the cookie value changes
        whenever something was proven (R68).
        """
        mine = old if old is not None and old.account_id == account.id else None
        if mine is not None and mine.id == sign_in.session_id and not _more(achieved, mine):
            # Changes nothing, but fails if the session ends concurrently: no grant is created for an ended session.
            alive = self.store.sessions.replace_secret(mine, structs.replace(mine, seen_at=now))
            return _Opened(session=mine, writes=[alive])
        secret = self.random.token()
        known = judged.known
        if caller.devices and not judged.looked_up:
            known = await self.store.sessions.device_of(caller.devices, account.id)
        device_secret = None if known is not None else self.random.token()
        proofs = to_store(counting(unmarked(sign_in.proofs), sign_in.fresh_after))
        if mine is not None:
            renewed = structs.replace(
                mine,
                secret_hash=digest(secret),
                auth_time=achieved.auth_time,
                acr=achieved.acr,
                amr=achieved.amr,
                seen_at=now,
                proofs=proofs,
            )
            replaced = self.store.sessions.replace_secret(mine, renewed)
            return _Opened(session=renewed, secret=secret, device_secret=device_secret, writes=[replaced])
        ended: list[tuple[Session, EndReason]] = [(old, "replaced")] if old is not None else []
        # one row at most: reading all sessions of a busy account takes longer than everything else here
        beyond = await self.store.sessions.live_of(account.id, now, limit=1, skipped=MOST_SESSIONS - 1)
        ended.extend((gone, "too_many") for gone in beyond)
        writes = [
            write
            for gone, reason in ended
            for write in await self.revoker.session(gone, now=now, reason=reason)
        ]
        _, absolute = session_rule.limits(self.sessions, achieved.acr)
        session = Session(
            id=self.random.new_id("ses"),
            secret_hash=digest(secret),
            account_id=account.id,
            created_at=now,
            seen_at=now,
            auth_time=achieved.auth_time,
            expires_at=now + absolute,
            acr=achieved.acr,
            amr=achieved.amr,
            user_agent=caller.user_agent,
            address=caller.address,
            proofs=proofs,
            device_hash=digest(device_secret) if device_secret is not None else known and known.device_hash,
            name=known and known.name,
        )
        writes.append(self.store.sessions.insert(session))
        return _Opened(
            session=session, secret=secret, device_secret=device_secret, writes=writes, ended=ended
        )

    async def _device(
        self, opened: _Opened, account: Account, app: str | None, caller: Caller, now: int
    ) -> list[Write]:
        """Remember this device for the account: its attempts are counted separately, so that an attacker elsewhere cannot lock the
        owner out (R81). The secret that identifies it belongs to this account alone."""
        secret = opened.device_secret
        if secret is None:
            return []
        writes: list[Write] = []
        told = await self.store.sessions.devices_since(account.id, now - DAY, MOST_TOLD)
        # beyond that, the notice that waits in the outbox stands for all
        waits = told == MOST_TOLD and await self.store.owner_notices.waiting(account.id, "new_device")
        if now - account.created_at >= NEW_ACCOUNT and not waits:
            mail = owner_mail(self.mail_queue, "new_device", account, caller, now, app=app)
            writes.append(self.store.messages.insert_mail(mail))
        return [*writes, self.store.sessions.remember_device(digest(secret), account.id, now)]


def _more(achieved: Achieved, session: Session) -> bool:
    """Whether something was proven that the session does not include. Times alone are not enough: a second factor may follow the
    password within a second."""
    known = achieved.acr == session.acr and set(achieved.amr) <= set(session.amr)
    return not known or achieved.auth_time != session.auth_time
