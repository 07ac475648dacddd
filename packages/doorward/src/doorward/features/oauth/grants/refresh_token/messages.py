"""E-mail message about a reused refresh token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import MessageText, MessageWords
from doorward.web.pages.words import calm


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReplayed:
    """A spent refresh token of `app` was reused: its sign-in may have been copied and is ended (RFC 9700 §4.14.2)."""

    kind: ClassVar[str] = "refresh_replayed"
    at: int
    app: str

    def text(self, say: MessageWords, /) -> MessageText:
        """The ended sign-in, and the reason."""
        _ = say.text
        app = calm(self.app)
        return MessageText(
            subject=_("We ended a sign-in of %(app)s", app=app),
            paragraphs=(
                _(
                    "The sign-in of %(app)s was used twice. That can happen when somebody copies it, so we ended it.",
                    app=app,
                ),
                say.when(self.at),
                _("Your password had no part in it. To go on using the app, sign in to it again."),
            ),
            closing=_("If it happens again, tell the people who run the app."),
            links=(say.activity(),),
        )
