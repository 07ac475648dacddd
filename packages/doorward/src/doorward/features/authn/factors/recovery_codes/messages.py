"""E-mail messages about recovery codes."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.mail.message import ALARM, AccountNotice, MessageWords
from doorward.web.pages.words import N_


class RecoveryCodesMade(AccountNotice, frozen=True, kw_only=True):
    """Notice that new recovery codes were made; if they `replaced` old ones, those stopped working."""

    kind: ClassVar[str] = "recovery_codes_made"
    subject: ClassVar[str] = N_("New recovery codes for your account at %(brand)s")
    said: ClassVar[str] = N_("New recovery codes were made. The old ones no longer work.")
    replaced: bool = True

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """What happened."""
        if self.replaced:
            return (say.text(self.said),)
        return (say.text("Recovery codes were made. Each can be used once, in place of a second step."),)


class RecoveryCodeUsed(AccountNotice, frozen=True, kw_only=True):
    """Notice that a recovery code was used to sign in; `left` codes remain."""

    kind: ClassVar[str] = "recovery_code_used"
    subject: ClassVar[str] = N_("A recovery code of your account at %(brand)s was used")
    said: ClassVar[str] = N_("Somebody signed in to your account with one of your recovery codes.")
    weight: ClassVar[int] = ALARM
    left: int

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """What happened, and how many codes are left."""
        left = say.words.counted(
            "%(number)s recovery code is left. You can make new ones on the page of your sign-in methods.",
            "%(number)s recovery codes are left. You can make new ones on the page of your sign-in methods.",
            self.left,
        )
        return say.text(self.said), left
