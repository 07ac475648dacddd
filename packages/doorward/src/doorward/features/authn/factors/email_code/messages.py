"""E-mail messages about codes by mail at the sign-in."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.web.mail.message import AccountNotice, MessageText, MessageWords, grouped
from doorward.web.pages.words import N_, calm

NAME: Final = N_("Codes by email to %(address)s")


class SignInCodeMail(Struct, frozen=True, kw_only=True):
    """The code of a second step; sent only after a first factor was shown. The subject has no code: it is shown on lock screens."""

    kind: ClassVar[str] = "sign_in_code"
    code: str
    at: int
    minutes: int = 10
    device: str | None = None
    app: str | None = None
    password: bool = True

    def text(self, say: MessageWords, /) -> MessageText:
        """The code, who asked for it, and what it means if it was somebody else. Only who has a `password` can reset one."""
        _ = say.text
        purpose = (
            _("Somebody, probably you, is signing in to your account at %(brand)s.")
            if self.app is None
            else _(
                "Somebody, probably you, is signing in to %(app)s with your account at %(brand)s.",
                app=calm(self.app),
            )
        )
        return MessageText(
            subject=_("Your sign-in code for %(brand)s"),
            paragraphs=(purpose, say.code_for(self.minutes), say.when(self.at, self.device)),
            closing=_(
                "Never give this code to anybody. If it wasn't you, somebody else has passed the first step of signing in to"
                " your account."
            ),
            code=grouped(self.code),
            links=(say.link(_("If this wasn't you, reset your password at once:"), "/reset"),)
            if self.password
            else (say.activity(),),
        )


class AddressCodeMail(Struct, frozen=True, kw_only=True):
    """The code that proves an address before codes for sign-ins are sent there."""

    kind: ClassVar[str] = "address_code"
    code: str
    minutes: int = 10

    def text(self, say: MessageWords, /) -> MessageText:
        """The code and its purpose."""
        _ = say.text
        return MessageText(
            subject=_("Confirm this address for %(brand)s"),
            paragraphs=(
                _("Somebody, probably you, wants to get sign-in codes for %(brand)s at this address."),
                say.code_for(self.minutes),
            ),
            closing=_("If it wasn't you, do nothing. Never give this code to anybody."),
            code=grouped(self.code),
        )


class MailCodesNotice(AccountNotice, frozen=True, kw_only=True):
    """Base class of notices about codes by mail: `address` is where they go."""

    address: str


class MailCodesAdded(MailCodesNotice, frozen=True, kw_only=True):
    """Notice that codes by mail were set up."""

    kind: ClassVar[str] = "mail_codes_added"
    subject: ClassVar[str] = N_("Codes by email were set up for your account at %(brand)s")
    said: ClassVar[str] = N_("When you sign in, we can send a code to %(address)s.")


class MailCodesRemoved(MailCodesNotice, frozen=True, kw_only=True):
    """Notice that codes by mail were removed."""

    kind: ClassVar[str] = "mail_codes_removed"
    subject: ClassVar[str] = N_("Codes by email were removed from your account at %(brand)s")
    said: ClassVar[str] = N_("We no longer send codes for signing in to %(address)s.")


class SignInByMail(Struct, frozen=True, kw_only=True):
    """The code that replaces a password."""

    kind: ClassVar[str] = "sign_in_by_mail"
    code: str
    minutes: int = 10

    def text(self, say: MessageWords, /) -> MessageText:
        """The code, and what to do if somebody else asked for it."""
        _ = say.text
        return MessageText(
            subject=_("Your sign-in code for %(brand)s"),
            paragraphs=(
                _("Somebody, probably you, is signing in to your account at %(brand)s."),
                say.code_for(self.minutes),
            ),
            closing=_("If it wasn't you, do nothing. Never give this code to anybody."),
            code=grouped(self.code),
        )
