"""E-mail messages about sign-ins."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.web.mail.message import ALARM, USE, AccountNotice, MessageWords
from doorward.web.pages.words import N_, calm

OTHERS_LEFT: Final = N_("Your other second steps still work.")


class NewDevice(AccountNotice, frozen=True, kw_only=True):
    """Notice of a sign-in from a new browser."""

    kind: ClassVar[str] = "new_device"
    subject: ClassVar[str] = N_("New sign-in to your account at %(brand)s")
    said: ClassVar[str] = N_("Somebody signed in to your account on a device we haven't seen before.")
    weight: ClassVar[int] = USE
    app: str | None = None

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """The sentence with the app, if there is one."""
        if self.app is None:
            return (say.text(self.said),)
        return (
            say.text(
                "Somebody signed in to %(app)s with your account, on a device we haven't seen before.",
                app=calm(self.app),
            ),
        )


class SecondFactorFailed(AccountNotice, frozen=True):
    """Notice of several wrong codes after the right first factor, whichever it was."""

    kind: ClassVar[str] = "second_factor_failed"
    weight: ClassVar[int] = ALARM
    subject: ClassVar[str] = N_("Wrong codes at the sign-in to your account at %(brand)s")
    said: ClassVar[str] = N_(
        "Somebody passed the first step of signing in to your account, and then typed several wrong codes. Nobody was let in by"
        " them."
    )
