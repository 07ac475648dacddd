"""E-mail messages about passkeys."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.web.mail.message import ALARM, AccountNotice, MessageWords
from doorward.web.pages.words import N_, calm

NAME: Final = N_("Passkey")
NAMED: Final = N_("Passkey “%(name)s”")


class _PasskeyNotice(AccountNotice, frozen=True, kw_only=True):
    """A notice about one passkey; `name` as its owner sees it, "" if it has none: then `said` is the sentence, else `named`."""

    named: ClassVar[str]
    name: str = ""

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """What happened, and to which passkey."""
        return (say.text(self.named, name=calm(self.name)) if self.name else say.text(self.said),)


class PasskeyAdded(_PasskeyNotice, frozen=True):
    """Notice that a passkey was added."""

    kind: ClassVar[str] = "passkey_added"
    subject: ClassVar[str] = N_("A passkey was added to your account at %(brand)s")
    said: ClassVar[str] = N_("From now on it can be used to sign in.")
    named: ClassVar[str] = N_("From now on the passkey “%(name)s” can be used to sign in.")


class PasskeyRemoved(_PasskeyNotice, frozen=True):
    """Notice that a passkey was removed."""

    kind: ClassVar[str] = "passkey_removed"
    subject: ClassVar[str] = N_("A passkey was removed from your account at %(brand)s")
    said: ClassVar[str] = N_("It can't be used to sign in any more.")
    named: ClassVar[str] = N_("The passkey “%(name)s” can't be used to sign in any more.")


class PasskeyAskedFor(_PasskeyNotice, frozen=True):
    """Notice that a passkey is asked for at each sign-in from now on."""

    kind: ClassVar[str] = "passkey_asked_for"
    subject: ClassVar[str] = N_("A passkey is now asked for at each sign-in to your account at %(brand)s")
    said: ClassVar[str] = N_("Who signs in in another way has to show this passkey, too.")
    named: ClassVar[str] = N_("Who signs in in another way has to show the passkey “%(name)s”, too.")


class PasskeyNotAskedFor(_PasskeyNotice, frozen=True):
    """Notice that a passkey is no longer asked for at each sign-in, unless something else asks for a second step."""

    kind: ClassVar[str] = "passkey_not_asked_for"
    subject: ClassVar[str] = N_(
        "A passkey is no longer asked for at each sign-in to your account at %(brand)s"
    )
    said: ClassVar[str] = N_(
        "At a sign-in in another way we ask for this passkey only where a second step is required."
    )
    named: ClassVar[str] = N_(
        "At a sign-in in another way we ask for the passkey “%(name)s” only where a second step is required."
    )


class PasskeyCopied(_PasskeyNotice, frozen=True):
    """Notice that a copy of a passkey was used, and refused."""

    kind: ClassVar[str] = "passkey_copied"
    weight: ClassVar[int] = ALARM
    subject: ClassVar[str] = N_("A passkey of your account at %(brand)s may have been copied")
    said: ClassVar[str] = N_(
        "Somebody used what looks like a copy of it. We refused that, and signed you out everywhere. Remove"
        " this passkey and add a new one."
    )
    named: ClassVar[str] = N_(
        "Somebody used what looks like a copy of the passkey “%(name)s”. We refused that, and signed you out"
        " everywhere. Remove this passkey and add a new one."
    )
