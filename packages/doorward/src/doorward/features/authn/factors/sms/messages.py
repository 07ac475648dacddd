"""Messages about the phones of an account: the text message with a code, and e-mails to the owner."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.web.mail.message import AccountNotice
from doorward.web.pages.words import N_

CARD_TEXT: Final = N_("We can send codes to %(numbers)s.")
CODE_LINK: Final = N_("Get a code by text message")
NAME: Final = N_("Phone ending in %(digits)s")
CODE_SENTENCE: Final = N_("%(code)s is your code for %(brand)s.")


class PhoneNotice(AccountNotice, frozen=True, kw_only=True):
    """Base class of notices about a phone: `number` is masked."""

    number: str


class PhoneAdded(PhoneNotice, frozen=True, kw_only=True):
    """Notice that a phone was added."""

    kind: ClassVar[str] = "phone_added"
    subject: ClassVar[str] = N_("A phone was added to your account at %(brand)s")
    said: ClassVar[str] = N_("When you sign in, we can send a code to the phone %(number)s.")


class PhoneRemoved(PhoneNotice, frozen=True, kw_only=True):
    """Notice that a phone was removed."""

    kind: ClassVar[str] = "phone_removed"
    subject: ClassVar[str] = N_("A phone was removed from your account at %(brand)s")
    said: ClassVar[str] = N_("We no longer send codes to the phone %(number)s.")
