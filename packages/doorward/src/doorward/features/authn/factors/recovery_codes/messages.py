"""E-mail messages about recovery codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import AccountNotice, MessageText, MessageWords


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesMade(AccountNotice):
    """Notice that new recovery codes were made and the old ones stopped working."""

    kind: ClassVar[str] = "recovery_codes_made"

    def text(self, say: MessageWords, /) -> MessageText:
        """When and where."""
        _ = say.text
        return self.notice(
            say,
            _("New recovery codes for your account at %(brand)s"),
            _("New recovery codes were made. The old ones no longer work."),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeUsed(AccountNotice):
    """Notice that a recovery code was used to sign in; `left` codes remain."""

    kind: ClassVar[str] = "recovery_code_used"
    left: int

    def text(self, say: MessageWords, /) -> MessageText:
        """When, where, and how many are left."""
        _ = say.text
        return self.notice(
            say,
            _("A recovery code of your account at %(brand)s was used"),
            _("Somebody signed in with your password and one of your recovery codes."),
            say.words.counted(
                "%(number)s recovery code is left. You can make new ones on the page of your sign-in methods.",
                "%(number)s recovery codes are left. You can make new ones on the page of your sign-in methods.",
                self.left,
            ),
        )
