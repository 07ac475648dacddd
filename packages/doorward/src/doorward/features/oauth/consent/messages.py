"""E-mail message about an app that stays connected."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.mail.message import USE, AccountNotice, MessageWords
from doorward.web.pages.words import N_, calm


class OfflineAccess(AccountNotice, frozen=True, kw_only=True):
    """Notice that `app` may act for the person after their sign-in has ended (`offline_access`, OpenID Connect Core 1.0 §11)."""

    kind: ClassVar[str] = "offline_access"
    subject: ClassVar[str] = N_("%(app)s stays connected to your account at %(brand)s")
    said: ClassVar[str] = N_(
        "You allowed %(app)s to use your account while you are away, until you disconnect it."
    )
    weight: ClassVar[int] = USE
    app: str

    def title(self, say: MessageWords) -> str:
        """The subject, which names the app."""
        return say.text(self.subject, app=calm(self.app))
