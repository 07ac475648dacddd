"""E-mail message about a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import AccountNotice, MessageText, MessageWords


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(AccountNotice):
    """Notice that the password was changed or reset."""

    kind: ClassVar[str] = "password_changed"

    def text(self, say: MessageWords, /) -> MessageText:
        """When and where."""
        _ = say.text
        return self.notice(say, _("Your password for %(brand)s was changed"), _("Your password was changed."))
