"""E-mail message about a password that a directory keeps."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from doorward.web.mail.message import MessageText, MessageWords


class PasswordElsewhere(Struct, frozen=True, kw_only=True):
    """Sent in place of a code to somebody who asks for a new password, and whose password is kept elsewhere; the page shows no difference
    (ASVS 6.3.8)."""

    kind: ClassVar[str] = "password_elsewhere"

    def text(self, say: MessageWords, /) -> MessageText:
        """A text without code or link that proves anything."""
        _ = say.text
        return MessageText(
            subject=_("Your password for %(brand)s"),
            paragraphs=(
                _("Somebody, probably you, asked for a new password for your account at %(brand)s."),
                _(
                    "Your organisation keeps your password, so we can't change it. Change it, or have it reset, where your organisation lets"
                    " you."
                ),
            ),
            closing=_("If it wasn't you, do nothing: your password stays as it is."),
            links=(say.link(_("Sign in:"), "/sign-in"),),
        )
