"""E-mail message about a reused refresh token."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.mail.message import ALARM, AccountNotice, MessageWords
from doorward.web.pages.words import N_, calm


class RefreshReplayed(AccountNotice, frozen=True, kw_only=True):
    """A spent refresh token of `app` was reused: its sign-in may have been copied and is ended (RFC 9700 §4.14.2). Device and address are
    those of the reuse, which may be the app's own."""

    kind: ClassVar[str] = "refresh_replayed"
    subject: ClassVar[str] = N_("We ended a sign-in of %(app)s")
    said: ClassVar[str] = N_(
        "The sign-in of %(app)s was used twice. That can happen when somebody copies it, so we ended it."
    )
    closing: ClassVar[str | None] = N_("If it happens again, tell the people who run the app.")
    weight: ClassVar[int] = ALARM
    app: str

    def title(self, say: MessageWords) -> str:
        """The subject, which names the app."""
        return say.text(self.subject, app=calm(self.app))

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """The ended sign-in, and how to go on."""
        again = say.text("Your password had no part in it. To go on using the app, sign in to it again.")
        return say.text(self.said, app=calm(self.app)), again
