"""E-mail message about a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import MessageText, MessageWords


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged:
    """The password was changed or reset."""

    kind: ClassVar[str] = "password_changed"
    at: int
    device: str | None = None
    place: str | None = None

    def text(self, say: MessageWords, /) -> MessageText:
        """When and where."""
        _ = say.text
        return MessageText(
            subject=_("Your password for %(brand)s was changed"),
            paragraphs=(_("Your password was changed."), say.when(self.at, self.device, self.place)),
            links=say.if_not_you(),
        )
