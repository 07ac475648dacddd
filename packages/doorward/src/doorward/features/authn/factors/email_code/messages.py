"""E-mail messages of sign-up and password reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.mail.message import AccountNotice, Link, MessageText, MessageWords, grouped
from doorward.web.pages.words import N_, calm


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAddressMail:
    """Sent at sign-up: `code` (digits) and `link` both prove the address, for `minutes`."""

    kind: ClassVar[str] = "verify_address"
    code: str
    link: str
    minutes: int = 10
    app: str | None = None

    def text(self, say: MessageWords, /) -> MessageText:
        """Code and link, and their purpose."""
        _ = say.text
        purpose = (
            _("Somebody, probably you, is creating an account at %(brand)s with this address.")
            if self.app is None
            else _(
                "Somebody, probably you, is creating an account at %(brand)s with this address to use %(app)s.",
                app=calm(self.app),
            )
        )
        return MessageText(
            subject=_("Confirm your email address for %(brand)s"),
            paragraphs=(purpose, say.code_for(self.minutes)),
            closing=_("If it wasn't you, do nothing: no account is made. Never give this code to anybody."),
            code=grouped(self.code),
            links=(Link(label=_("Or open this link in the browser where you started:"), url=self.link),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressTaken:
    """Sent to the owner of an account whose address was given at sign-up; the page shows no difference (ASVS 6.3.8)."""

    kind: ClassVar[str] = "address_taken"

    def text(self, say: MessageWords, /) -> MessageText:
        """A text without code or link that proves anything."""
        _ = say.text
        return MessageText(
            subject=_("You already have an account at %(brand)s"),
            paragraphs=(
                _(
                    "Somebody, probably you, tried to create an account with this address. There is one already."
                ),
            ),
            closing=_("If it wasn't you, do nothing: nobody was let in."),
            links=(
                say.link(_("Sign in:"), "/sign-in"),
                say.link(_("Forgot your password? Choose a new one:"), "/reset"),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPasswordMail:
    """Sent on request of a password reset: `code` and `link`, both valid for `minutes`."""

    kind: ClassVar[str] = "reset_password"
    code: str
    link: str
    minutes: int = 10

    def text(self, say: MessageWords, /) -> MessageText:
        """Code and link."""
        _ = say.text
        return MessageText(
            subject=_("Reset your password for %(brand)s"),
            paragraphs=(
                _("Somebody, probably you, asked for a new password for your account at %(brand)s."),
                say.code_for(self.minutes),
            ),
            closing=_(
                "If it wasn't you, do nothing: your password stays as it is. Never give this code to anybody."
            ),
            code=grouped(self.code),
            links=(Link(label=_("Or open this link in the browser where you started:"), url=self.link),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInCodeMail:
    """The code of a second step; sent only after a first factor was shown. The subject has no code: it is shown on lock screens."""

    kind: ClassVar[str] = "sign_in_code"
    code: str
    at: int
    minutes: int = 10
    device: str | None = None
    app: str | None = None

    def text(self, say: MessageWords, /) -> MessageText:
        """The code, who asked for it, and what it means if it was somebody else."""
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
                "Never give this code to anybody. If it wasn't you, somebody knows your password: change it."
            ),
            code=grouped(self.code),
            links=(say.link(_("If this wasn't you, reset your password at once:"), "/reset"),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressCodeMail:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCodesNotice(AccountNotice):
    """Base class of notices about codes by mail: `address` is where they go."""

    address: str

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """The paragraph that names the address."""
        return (say.text(self.said, address=calm(self.address)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCodesAdded(MailCodesNotice):
    """Notice that codes by mail were set up."""

    kind: ClassVar[str] = "mail_codes_added"
    subject: ClassVar[str] = N_("Codes by email were set up for your account at %(brand)s")
    said: ClassVar[str] = N_("When you sign in, we can send a code to %(address)s.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCodesRemoved(MailCodesNotice):
    """Notice that codes by mail were removed."""

    kind: ClassVar[str] = "mail_codes_removed"
    subject: ClassVar[str] = N_("Codes by email were removed from your account at %(brand)s")
    said: ClassVar[str] = N_("We no longer send codes for signing in to %(address)s.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInByMail:
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
