"""E-mail messages about the second factors of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import AccountNotice, MessageText, MessageWords
from doorward.web.pages.words import N_


class SecondFactorAdded(AccountNotice):
    """Notice that an authenticator app was added."""

    kind: ClassVar[str] = "second_factor_added"
    subject: ClassVar[str] = N_("An authenticator app was added to your account at %(brand)s")
    said: ClassVar[str] = N_("From now on we ask for a code from the app when you sign in.")


class SecondFactorRemoved(AccountNotice):
    """Notice that the authenticator app was removed."""

    kind: ClassVar[str] = "second_factor_removed"
    subject: ClassVar[str] = N_("The authenticator app was removed from your account at %(brand)s")
    said: ClassVar[str] = N_("From now on your password alone is enough to sign in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReset:
    """Notice that an operator removed the authenticator app and the recovery codes after a report of a lost phone; with `password_too`
    the password as well."""

    kind: ClassVar[str] = "second_factor_reset"
    at: int
    password_too: bool = False

    def text(self, say: MessageWords, /) -> MessageText:
        """The remaining way to sign in, and the way to set up a new app."""
        _ = say.text
        new_password = say.link(_("Forgot your password? Choose a new one:"), "/reset")
        return MessageText(
            subject=_("The authenticator app was removed from your account at %(brand)s"),
            paragraphs=(
                _(
                    "The people who run %(brand)s removed the authenticator app and the recovery codes from your"
                    " account, and signed you out everywhere."
                ),
                _("To sign in, choose a new password first.")
                if self.password_too
                else _("From now on your password alone is enough to sign in."),
                say.when(self.at),
            ),
            closing=_("If you didn't ask for this, tell them at once."),
            links=(
                *((new_password,) if self.password_too else ()),
                say.link(_("Set up an authenticator app again:"), "/account/methods"),
            ),
        )
