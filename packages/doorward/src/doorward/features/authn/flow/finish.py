"""End of a sign-in: its session and what it was for come into being in one transaction, or none of them does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import EndReason, Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.mail_queue import Postman, owner_mail
from doorward.core.ports.metrics import Meter
from doorward.core.ports.random import Chance
from doorward.features.audit.service import Record
from doorward.features.authn.flow.goal import Permitted, Reached
from doorward.features.authn.flow.outcomes import Finished, Stale
from doorward.features.authn.flow.rules.assurance import Achieved, counting
from doorward.features.authn.flow.rules.vouching import to_store
from doorward.features.sessions.ending import Ending
from doorward.features.sessions.rules import session as session_rule
from doorward.storage.sql.store import Store, Write

NEW_ACCOUNT = 3600
"""For how many seconds after an account was made a new device is no news to its owner."""

DAY = 86_400
MOST_TOLD = 20
"""Mails about new devices that one person gets in a day. Whoever knows the password causes each, and after twenty its owner knows."""

MOST_SESSIONS = 1000
"""Of one person; with the next one, the one that was seen longest ago ends. Whoever ends all of somebody's sessions holds up
everybody else's sign-out meanwhile, and tells the apps of each: how many they are is not left to who signs in."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Builds all writes of the end, and commits them. The sign-in's own row is the guard: it ends once."""

    store: Store
    chance: Chance
    postman: Postman
    ending: Ending
    record: Record
    meter: Meter
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
    ) -> Finished | Stale:
        """`old` is the browser's live session, `permitted` None for a sign-in to the account pages. `first` is what the commit
        begins with: a sign-in that begins and ends in one call is stored by no commit of its own."""
        writes: list[Write] = [
            *first,
            self.store.sign_ins.replace(sign_in, structs.replace(sign_in, done_at=now)),
        ]
        session, secret, more, ended = await self._session(sign_in, account, achieved, old, caller, now)
        writes += more
        device_secret = None
        device: list[Write] = []
        if secret is not None:
            # Changes nothing, but loses when the person was disabled, or chose another password, after they were read: no
            # session comes out of a proof that no longer is one (line 72).
            writes.append(self.store.accounts.replace(account, old=account))
            writes.append(
                self.record.write(
                    "sign_in.succeeded",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    session_id=session.id,
                    method=" ".join(achieved.amr),
                )
            )
            # Every way in tells the owner of a new device. A page's app is known to who sits there; a JSON sign-in's is not.
            app = permitted.app_name if permitted is not None and sign_in.handle_hash is not None else None
            device_secret, device = await self._device(account, app, caller, now)
        reached = Reached()
        if permitted is not None:
            reached = await permitted.reach(sign_in, session, achieved, caller=caller, now=now)
            writes += reached.writes
        # the device goes last: on PostgreSQL all before it is one statement (storage/postgres/merge.py)
        if not await self.store.commit(*writes, *device):
            return Stale(sign_in)
        for gone, reason in ended:
            await self.ending.late_in(gone, now=now, reason=reason)
        if secret is not None:
            self.meter.count("sign_ins", "succeeded")
        return Finished(sign_in, account, session, reached.response, reached.code, secret, device_secret)

    async def _session(
        self,
        sign_in: SignIn,
        account: Account,
        achieved: Achieved,
        old: Session | None,
        caller: Caller,
        now: int,
    ) -> tuple[Session, str | None, list[Write], list[tuple[Session, EndReason]]]:
        """The session to go on in, its new cookie value if it has one, the writes, and which sessions end by them and why.

        It is the old one untouched, the old one under a new cookie value (step-up), or a new one: the cookie's value changes
        whenever something was proven (line 68).
        """
        mine = old if old is not None and old.account_id == account.id else None
        if mine is not None and mine.id == sign_in.session_id and not _more(achieved, mine):
            # Writes nothing new, but loses when the session ends in this very moment: no grant is born in a dead session.
            alive = self.store.sessions.replace_secret(mine, structs.replace(mine, seen_at=now))
            return mine, None, [alive], []
        secret = self.chance.token()
        proofs = to_store(counting(sign_in.proofs, sign_in.fresh_after))
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
            return renewed, secret, [self.store.sessions.replace_secret(mine, renewed)], []
        ended: list[tuple[Session, EndReason]] = [(old, "replaced")] if old is not None else []
        live = await self.store.sessions.live_of(account.id, now, limit=MOST_SESSIONS)
        if len(live) == MOST_SESSIONS:
            ended.append((live[-1], "too_many"))
        writes = [
            write
            for gone, reason in ended
            for write in await self.ending.session(gone, now=now, reason=reason)
        ]
        _, absolute = session_rule.limits(self.sessions, achieved.acr)
        session = Session(
            id=self.chance.new_id("ses"),
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
        )
        return session, secret, [*writes, self.store.sessions.insert(session)], ended

    async def _device(
        self, account: Account, app: str | None, caller: Caller, now: int
    ) -> tuple[str | None, list[Write]]:
        """From now on this device is known to the account: its tries are counted by themselves, so that nobody elsewhere can
        lock the owner out (line 81). The secret by which it is known is this person's alone."""
        devices = caller.devices
        if devices and await self.store.sessions.known_device(devices, account.id) is not None:
            return None, []
        secret = self.chance.token()
        writes: list[Write] = []
        told = await self.store.sessions.devices_since(account.id, now - DAY, MOST_TOLD)
        if now - account.created_at >= NEW_ACCOUNT and told < MOST_TOLD:
            mail = owner_mail(self.postman, "new_device", account, caller, now, app=app)
            writes.append(self.store.messages.insert_mail(mail))
        return secret, [*writes, self.store.sessions.remember_device(digest(secret), account.id, now)]


def _more(achieved: Achieved, session: Session) -> bool:
    """Whether something was proven that the session does not know of. Times alone do not tell: a second factor may follow the
    password within a second."""
    known = achieved.acr == session.acr and set(achieved.amr) <= set(session.amr)
    return not known or achieved.auth_time != session.auth_time
