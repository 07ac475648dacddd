"""E-mail messages about sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import AccountNotice, MessageText, MessageWords
from doorward.web.pages.words import calm


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice(AccountNotice):
    """Notice of a sign-in from a new browser."""

    kind: ClassVar[str] = "new_device"
    app: str | None = None

    def text(self, say: MessageWords, /) -> MessageText:
        """When, where, and to which app."""
        _ = say.text
        return self.notice(
            say,
            _("New sign-in to your account at %(brand)s"),
            _("Somebody signed in to your account on a device we haven't seen before.")
            if self.app is None
            else _(
                "Somebody signed in to %(app)s with your account, on a device we haven't seen before.",
                app=calm(self.app),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorFailed(AccountNotice):
    """Notice of several wrong codes after the right password."""

    kind: ClassVar[str] = "second_factor_failed"

    def text(self, say: MessageWords, /) -> MessageText:
        """When and where."""
        _ = say.text
        return self.notice(
            say,
            _("Wrong codes at the sign-in to your account at %(brand)s"),
            _("Somebody typed your password, and then several wrong codes. Nobody was let in by them."),
        )
