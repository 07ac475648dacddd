"""E-mail messages about passkeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import AccountNotice, MessageWords
from doorward.web.pages.words import N_, calm


@dataclass(frozen=True, slots=True, kw_only=True)
class _PasskeyNotice(AccountNotice):
    """A notice about one passkey; `name` as its owner sees it, "" if it has none."""

    name: str = ""

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """What happened, and to which passkey."""
        return (say.text(self.said), *((calm(self.name),) if self.name else ()))


class PasskeyAdded(_PasskeyNotice):
    """Notice that a passkey was added."""

    kind: ClassVar[str] = "passkey_added"
    subject: ClassVar[str] = N_("A passkey was added to your account at %(brand)s")
    said: ClassVar[str] = N_("From now on it can be used to sign in.")


class PasskeyRemoved(_PasskeyNotice):
    """Notice that a passkey was removed."""

    kind: ClassVar[str] = "passkey_removed"
    subject: ClassVar[str] = N_("A passkey was removed from your account at %(brand)s")
    said: ClassVar[str] = N_("It can't be used to sign in any more.")


class PasskeyCopied(_PasskeyNotice):
    """Notice that a copy of a passkey was used, and refused."""

    kind: ClassVar[str] = "passkey_copied"
    subject: ClassVar[str] = N_("A passkey of your account at %(brand)s may have been copied")
    said: ClassVar[str] = N_(
        "Somebody used what looks like a copy of it. We refused that, and signed you out everywhere. Remove"
        " this passkey and add a new one."
    )
