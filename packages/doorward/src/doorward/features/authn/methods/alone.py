"""Password as the only factor: it is typed before the last second step is removed (R77)."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.web.pages.views.problems import FormProblem, Wrong


@final
class PasswordAlone(Struct, frozen=True, kw_only=True):
    """For the pages of factors that know nothing of passwords."""

    check: CheckPassword
    policy: PasswordPolicy

    async def problem(
        self, account: Account, password: Secret, caller: Caller, now: int
    ) -> FormProblem | None:
        """Why the password may not stand alone: it is wrong, or too short without a second step. Raises `HashingBusy`."""
        checked = await self.check.verify(
            account.known_as, password, caller=caller, now=now, account_id=account.id
        )
        match checked:
            case OAuthError(code="too_many_attempts", retry_at=at):
                return FormProblem(Wrong.TOO_MANY_TRIES, at=at)
            case OAuthError():
                return FormProblem(Wrong.PASSWORD_MISMATCH)
            case Account():
                least = rule.minimum(self.policy, second_factor=False)
                too_short = rule.length(password.reveal()) < least
                return weak(Weak("too_short", least)) if too_short else None
