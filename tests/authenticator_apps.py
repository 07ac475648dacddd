"""What people do with authenticator apps, below the pages."""

from __future__ import annotations

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.features.authn.factors.recovery_codes.build import own_recovery_codes
from doorward.features.authn.factors.recovery_codes.views import RecoveryCodesView
from doorward.features.authn.factors.totp.build import own_authenticator
from doorward.features.authn.factors.totp.owning import LastStep, Meanwhile, SetupOver, WrongCode
from doorward.features.authn.factors.totp.views import AuthenticatorDone
from doorward.features.authn.flow.enrolment import NewFactor
from doorward.features.authn.methods.build import enrolment_pages
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.services import Services
from doorward.web.pages.views.problems import FormProblem

Confirmed = NewFactor | WrongCode | SetupOver | Wait
Removed = FormProblem | LastStep | Meanwhile | Wait | None


async def app_set_up(
    services: Services, account: Account, session: Session, sealed: str, typed: str, caller: Caller, now: int
) -> tuple[Confirmed, tuple[str, ...]]:
    """Confirm a setup, and after a right code commit it with new recovery codes, as the pages do. Returns these, too."""
    made = await services.get(own_authenticator).confirm(
        account, session.id, sealed=sealed, typed=typed, caller=caller, now=now, session_id=session.id
    )
    if not isinstance(made, NewFactor):
        return made, ()
    codes = services.get(own_recovery_codes)
    backup = await codes.along(account, anew=True, session_id=session.id, caller=caller, now=now)
    assert backup is not None
    assert await services.store.commit(*made.writes, *backup.writes)
    view = backup.shown(AuthenticatorDone.ADDED, "/account/methods", None)
    assert isinstance(view, RecoveryCodesView)
    return made, view.codes


async def app_removed(
    services: Services, account: Account, session: Session, password: str, caller: Caller, now: int
) -> Removed:
    """Remove the app, with this password."""
    return await services.get(own_authenticator).remove(
        account,
        session,
        password=Secret(password),
        alone=services.get(enrolment_pages).password_alone,
        caller=caller,
        now=now,
    )
