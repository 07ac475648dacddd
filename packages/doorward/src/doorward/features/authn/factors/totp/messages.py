"""E-mail messages about the authenticator app of an account."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.features.authn.flow.held import ResetWords
from doorward.features.authn.flow.messages import OTHERS_LEFT
from doorward.web.mail.message import AccountNotice, MessageWords
from doorward.web.pages.words import N_

NAME: Final = N_("Authenticator app")
RESET: Final = ResetWords(
    subject=N_("The authenticator app was removed from your account at %(brand)s"),
    removed=N_(
        "The people who run %(brand)s removed the authenticator app and the recovery codes from your"
        " account, and signed you out everywhere."
    ),
    again=N_("Set up an authenticator app again:"),
)


class SecondFactorAdded(AccountNotice, frozen=True):
    """Notice that an authenticator app was added."""

    kind: ClassVar[str] = "second_factor_added"
    subject: ClassVar[str] = N_("An authenticator app was added to your account at %(brand)s")
    said: ClassVar[str] = N_("From now on we ask for a code from the app when you sign in.")


class SecondFactorRemoved(AccountNotice, frozen=True, kw_only=True):
    """Notice that the authenticator app was removed. `left`: the person has other second factors."""

    kind: ClassVar[str] = "second_factor_removed"
    subject: ClassVar[str] = N_("The authenticator app was removed from your account at %(brand)s")
    said: ClassVar[str] = N_("From now on one step is enough to sign in.")
    left: bool = False

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """What a sign-in asks for from now on."""
        return (say.text(OTHERS_LEFT if self.left else self.said),)
