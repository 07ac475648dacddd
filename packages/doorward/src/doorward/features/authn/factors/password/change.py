"""Change of a password by a signed-in person: with the current one, and after a recent sign-in (ASVS 6.2.3, 7.5.1: R73)."""

from __future__ import annotations

from typing import final

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.passwords import PasswordHasher
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.rules.password import Weak, prepare
from doorward.features.authn.factors.password.rules.proof import of_password
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.proving import too_many
from doorward.features.authn.flow.rules.vouching import of_own_times, to_store
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store


class Changed(Struct, frozen=True):
    """Done. `session_secret` is the new value of this browser's session cookie (line 68)."""

    session: Session
    session_secret: str


class ChangedMeanwhile(Struct, frozen=True):
    """Something else changed the account or the session in the same moment: nothing was done."""


@final
class ChangePassword(Struct, frozen=True, kw_only=True):
    """Everything else that is signed in as this person ends with the old password."""

    store: Store
    random: SecureRandom
    hasher: PasswordHasher
    check: CheckPassword
    judge: JudgePassword
    mail_queue: MailQueue
    revoker: Revoker
    audit_log: AuditLog
    factors: OfferedFactors

    async def kept_elsewhere(self, account: Account) -> bool:
        """Whether a directory keeps the password, so that none is set here."""
        return self.factors.password_elsewhere(await self.store.accounts.factors(account.id))

    async def change(
        self,
        account: Account,
        session: Session,
        *,
        current: Secret,
        new: Secret,
        caller: Caller,
        now: int,
    ) -> Changed | Weak | OAuthError | ChangedMeanwhile:
        """The caller has made sure that the sign-in is recent. A wrong current password counts like one at sign-in. Raises
        `HashingBusy`."""
        if await self.kept_elsewhere(account):
            return ChangedMeanwhile()
        checked = await self.check.verify(
            account.known_as, current, caller=caller, now=now, account_id=account.id
        )
        if isinstance(checked, OAuthError):
            return checked
        if checked.id != account.id:
            return ChangedMeanwhile()
        if prepare(current.reveal()) == prepare(new.reveal()):
            return Weak("unchanged")
        rows = await self.store.accounts.factors(account.id)
        weak = await self.judge.judge(
            new,
            email=account.email or "",
            name=account.name,
            second_factor=self.factors.beside_password(account, rows),
        )
        if weak is not None:
            return weak
        throttle = self.check.throttle
        wait = await throttle.change("with_password", account.id, now)
        if wait is not None:
            return too_many(wait, "passwords changed")
        hashed = await self.hasher.hash(Secret(prepare(new.reveal())))
        # Read again: the check may have stored a newer hash of the old password. Of another password nothing was shown.
        before = await self.store.accounts.get(account.id)
        if (
            before is None
            or before.disabled_at is not None
            or before.password_state != checked.password_state
        ):
            return ChangedMeanwhile()
        changed = before.with_password(hashed, now)
        secret = self.random.token()
        # The current password was proven just now. Of the session's other proofs only those are kept that still stand: its
        # authenticator app may have been replaced.
        password = of_password(changed, now)
        others = [proof for proof in of_own_times(session) if proof.kind != password.kind]
        rows = await self.store.accounts.factors(account.id)
        proofs = to_store((*self.factors.standing(others, changed, rows), password))
        achieved = self.factors.achieved(proofs)
        renewed = structs.replace(
            session,
            secret_hash=digest(secret),
            auth_time=now,
            acr=achieved.acr,
            amr=tuple(one for one in dict.fromkeys((*session.amr, *achieved.amr)) if one in achieved.amr),
            seen_at=now,
            proofs=proofs,
        )
        mail = owner_mail(self.mail_queue, "password_changed", account, caller, now)
        known = await throttle.known(caller.devices, account.id)
        done = await self.store.commit(
            self.store.accounts.replace(changed, old=before),
            self.store.sessions.replace_secret(session, renewed),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "password.changed", caller=caller, now=now, account_id=account.id, session_id=session.id
            ),
            *await self.revoker.account(
                account.id,
                now=now,
                reason="password_changed",
                keep_session=session.id,
                keep_known=known,
                sub_entry=False,
            ),
        )
        if not done:
            return ChangedMeanwhile()
        await self.revoker.late(account.id, now=now, reason="password_changed", keep_session=session.id)
        return Changed(renewed, secret)
