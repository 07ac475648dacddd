"""Password as the only factor: it is typed before the last second step is removed (R77)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.methods.service import SecondFactors
from doorward.web.pages.views.problems import FormProblem, Wrong


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordAlone:
    """For the pages of factors that know nothing of passwords."""

    factors: SecondFactors

    async def problem(
        self, account: Account, password: Secret, caller: Caller, now: int
    ) -> FormProblem | None:
        """Why the password may not stand alone: it is wrong, or too short without a second step. Raises `HashingBusy`."""
        match await self.factors.password_alone(account, password, caller=caller, now=now):
            case None:
                return None
            case Weak() as found:
                return weak(found)
            case OAuthError(code="too_many_attempts", retry_at=at):
                return FormProblem(Wrong.TOO_MANY_TRIES, at=at)
            case OAuthError():
                return FormProblem(Wrong.PASSWORD_MISMATCH)
