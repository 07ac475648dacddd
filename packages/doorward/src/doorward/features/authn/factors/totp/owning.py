"""The authenticator app of a person, for its owner: set up and removed (R73, R84)."""

from __future__ import annotations

import base64
from typing import Final, final

import msgspec
from msgspec import Struct

from doorward.core import text
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailKind, MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.factors.totp.factor import SEED_PURPOSE
from doorward.features.authn.flow.changes import guards, held_methods
from doorward.features.authn.flow.enrolment import MayStandAlone, NewFactor
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.views.problems import FormProblem

SETUP_TTL: Final = 1800
"""Seconds after which a setup page expires."""

_SETUP_PURPOSE: Final = "totp-setup"


class Setup(Struct, frozen=True):
    """A secret to be added to an app. `sealed` is sent back with the code. Nothing is stored before that, so that opening the page
    changes nothing, and only this session or sign-in can send it back."""

    uri: str
    key: str
    sealed: str


class WrongCode(Struct, frozen=True):
    """The code does not match; nothing was set up."""


class LastStep(Struct, frozen=True):
    """Nothing was removed: it is the last second step of a person who needs one."""


class Meanwhile(Struct, frozen=True):
    """Nothing was removed: the account, another of its methods, or the session changed in the same moment."""


class SetupOver(Struct, frozen=True):
    """The setup page has expired, or belongs to another session."""


class _Held(Struct, frozen=True):
    seed: bytes
    expires_at: int


@final
class OwnAuthenticator(Struct, frozen=True, kw_only=True):
    """The caller must ensure that the sign-in is recent."""

    store: Store
    random: SecureRandom
    sealer: Sealer
    mail_queue: MailQueue
    audit_log: AuditLog
    throttle: Throttle
    brand: str
    factors: OfferedFactors
    flow: SignInFlow
    window: int = totp.WINDOW

    def begin(self, account: Account, binding: str, now: int) -> Setup:
        """A new secret, for the QR code. `binding` is the id of the session, or of the sign-in in which the app is set up."""
        text = self.random.token(totp.SEED_BYTES)
        return self._setup(account, binding, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), now)

    async def confirm(
        self,
        account: Account,
        binding: str,
        *,
        sealed: str,
        typed: str,
        caller: Caller,
        now: int,
        session_id: str | None = None,
    ) -> NewFactor | WrongCode | SetupOver | Wait:
        """The app, after a correct code, which is spent. With the commit a previous app stops working."""
        seed = self._unseal(account, binding, sealed, now)
        if seed is None:
            return SetupOver()
        step = totp.match(seed, text.code(typed), now=now, last_step=None, window=self.window)
        if step is None:
            return WrongCode()
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        factor_id = self.random.new_id("fac")
        factor = EnrolledFactor(
            id=factor_id,
            account_id=account.id,
            kind=totp.TRAITS.kind,
            created_at=now,
            sealed=self.sealer.seal(SEED_PURPOSE, factor_id, seed),
            last_step=step,
        )
        return NewFactor(
            row=factor,
            proof=shown_with(totp.TRAITS, factor, now),
            replaces=True,
            writes=(
                self.store.accounts.remove_factors(account.id, totp.TRAITS.kind),
                self.store.accounts.add_factor(factor),
                self._told("second_factor_added", account, caller, now),
                self._noted("second_factor.added", account, session_id, caller, now),
            ),
        )

    def shown_again(self, account: Account, binding: str, sealed: str, now: int) -> Setup | None:
        """The same secret for the same page after a wrong code, so that the scanned QR code stays valid."""
        seed = self._unseal(account, binding, sealed, now)
        return None if seed is None else self._setup(account, binding, seed, now)

    async def removal_needs_password(self, account: Account) -> bool:
        """Whether the app is removed only with the password: then the password is the only factor that every sign-in asks for."""
        left = [row for row in await self.store.accounts.factors(account.id) if row.kind != totp.TRAITS.kind]
        return account.password_hash is not None and not self.factors.beside_password(account, left)

    async def remove(
        self,
        account: Account,
        session: Session,
        *,
        password: Secret | None,
        alone: MayStandAlone,
        caller: Caller,
        now: int,
    ) -> FormProblem | LastStep | Meanwhile | Wait | None:
        """Remove the app, and the recovery codes with the last second factor. None: done. `password` may be None unless
        `removal_needs_password`; `alone` says why it may not be the only factor. Raises `HashingBusy`.

        Beside a second factor a password may be shorter than the minimum for an only factor. Then the person has to change it first.
        Its length is not stored, so it must be typed here.
        """
        found = await held_methods(self.store, account.id)
        if found is None:
            return Meanwhile()
        account, rows = found.account, found.rows
        left = [row for row in rows if row.kind != totp.TRAITS.kind]
        if not await self.flow.enough(account, left, now):
            return LastStep()
        if account.password_hash is not None and not self.factors.beside_password(account, left):
            wrong = await alone(account, password or Secret(""), caller, now)
            if wrong is not None:
                return wrong
        if (wait := await self.throttle.change("with_password", account.id, now)) is not None:
            return wait
        kinds = self.factors.with_backups(totp.TRAITS.kind, rows)
        done = await self.store.commit(
            *guards(self.store, found, session_id=session.id),
            *(self.store.accounts.remove_factors(account.id, kind) for kind in kinds),
            *self.flow.unmet(account, left),
            self.store.remembered_devices.end_of_account(account.id),
            self._told(
                "second_factor_removed",
                account,
                caller,
                now,
                left=any(row.kind not in kinds for row in left),
            ),
            self._noted("second_factor.removed", account, session.id, caller, now),
        )
        return None if done else Meanwhile()

    def _setup(self, account: Account, binding: str, seed: bytes, now: int) -> Setup:
        held = msgspec.json.encode(_Held(seed, now + SETUP_TTL))
        sealed = self.sealer.seal(_SETUP_PURPOSE, f"{account.id}:{binding}", held)
        return Setup(
            totp.key_uri(seed, account=account.shown_as, issuer=self.brand),
            totp.key_text(seed),
            base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("="),
        )

    def _unseal(self, account: Account, binding: str, sealed: str, now: int) -> bytes | None:
        try:
            raw = base64.urlsafe_b64decode(sealed[:2000] + "=" * (-len(sealed[:2000]) % 4))
            clear = self.sealer.open(_SETUP_PURPOSE, f"{account.id}:{binding}", raw)
        except ValueError:
            return None
        held = msgspec.json.decode(clear, type=_Held)
        return held.seed if now < held.expires_at else None

    def _told(self, kind: MailKind, account: Account, caller: Caller, now: int, **values: object) -> Write:
        mail = owner_mail(self.mail_queue, kind, account, caller, now, to=None, **values)
        return self.store.messages.insert_mail(mail)

    def _noted(self, kind: str, account: Account, session_id: str | None, caller: Caller, now: int) -> Write:
        return self.audit_log.write(
            kind,
            caller=caller,
            now=now,
            account_id=account.id,
            session_id=session_id,
            method=totp.TRAITS.kind,
        )
