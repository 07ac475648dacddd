"""E-mail messages about sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import MessageText, MessageWords
from doorward.web.pages.words import calm


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """Notice of a sign-in from a new browser."""

    kind: ClassVar[str] = "new_device"
    at: int
    device: str | None = None
    place: str | None = None
    app: str | None = None

    def text(self, say: MessageWords, /) -> MessageText:
        """When, where, and to which app."""
        _ = say.text
        return MessageText(
            subject=_("New sign-in to your account at %(brand)s"),
            paragraphs=(
                _("Somebody signed in to your account on a device we haven't seen before.")
                if self.app is None
                else _(
                    "Somebody signed in to %(app)s with your account, on a device we haven't seen before.",
                    app=calm(self.app),
                ),
                say.when(self.at, self.device, self.place),
            ),
            links=say.if_not_you(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorFailed:
    """Notice of several wrong codes after the right password."""

    kind: ClassVar[str] = "second_factor_failed"
    at: int
    device: str | None = None
    place: str | None = None

    def text(self, say: MessageWords, /) -> MessageText:
        """When and where."""
        _ = say.text
        return MessageText(
            subject=_("Wrong codes at the sign-in to your account at %(brand)s"),
            paragraphs=(
                _("Somebody typed your password, and then several wrong codes. Nobody was let in by them."),
                say.when(self.at, self.device, self.place),
            ),
            links=say.if_not_you(),
        )
