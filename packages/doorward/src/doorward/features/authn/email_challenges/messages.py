"""E-mail messages of sign-up, password reset and new addresses."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from doorward.web.mail.message import ALARM, AccountNotice, Link, MessageText, MessageWords, grouped
from doorward.web.pages.words import N_, calm


class VerifyAddressMail(Struct, frozen=True, kw_only=True):
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


class AddressTaken(Struct, frozen=True, kw_only=True):
    """Sent to the owner of an account whose address was given at sign-up; the page shows no difference (ASVS 6.3.8). `ways`: what they
    sign in with, if they have no password."""

    kind: ClassVar[str] = "address_taken"
    ways: tuple[str, ...] = ()

    def text(self, say: MessageWords, /) -> MessageText:
        """A text without code or link that proves anything."""
        _ = say.text
        return MessageText(
            subject=_("You already have an account at %(brand)s"),
            paragraphs=(
                _(
                    "Somebody, probably you, tried to create an account with this address. There is one already."
                ),
                *((_("You sign in there with: %(ways)s.", ways=_listed(self.ways)),) if self.ways else ()),
            ),
            closing=_("If it wasn't you, do nothing: nobody was let in."),
            links=(
                say.link(_("Sign in:"), "/sign-in"),
                *(() if self.ways else (say.link(_("Forgot your password? Choose a new one:"), "/reset"),)),
            ),
        )


class ConfirmAddress(Struct, frozen=True, kw_only=True):
    """Sent to an address that an account is to have: `code` (digits) proves it, for `minutes`. `via`: the service by which the person comes,
    "" for somebody who is signed in."""

    kind: ClassVar[str] = "confirm_address"
    code: str
    minutes: int = 10
    via: str = ""

    def text(self, say: MessageWords, /) -> MessageText:
        """The code, and its purpose."""
        _ = say.text
        purpose = (
            _(
                "Somebody, probably you, signs in to %(brand)s with %(via)s and gave this address.",
                via=calm(self.via),
            )
            if self.via
            else _("Somebody, probably you, wants to use this address for their account at %(brand)s.")
        )
        return MessageText(
            subject=_("Confirm your email address for %(brand)s"),
            paragraphs=(purpose, say.code_for(self.minutes)),
            closing=_(
                "If it wasn't you, do nothing: the address isn't used. Never give this code to anybody."
            ),
            code=grouped(self.code),
        )


class AddressInUse(Struct, frozen=True, kw_only=True):
    """Sent to the owner of an account whose address was given for another one; the page shows no difference (ASVS 6.3.8). `via` and `ways`
    as in the other mails."""

    kind: ClassVar[str] = "address_in_use"
    via: str = ""
    ways: tuple[str, ...] = ()

    def text(self, say: MessageWords, /) -> MessageText:
        """A text without code or link that proves anything."""
        _ = say.text
        via = calm(self.via)
        given = (
            _("Somebody, probably you, signed in with %(via)s and gave this address.", via=via)
            if self.via
            else _("Somebody, probably you, wanted to use this address for another account.")
        )
        how = (
            _(
                "It belongs to an account already. To sign in to that account with %(via)s from now on, sign in to it as before and connect %(via)s under Sign-in methods.",
                via=via,
            )
            if self.via
            else _("It belongs to an account already, so it was not used.")
        )
        return MessageText(
            subject=_("You already have an account at %(brand)s"),
            paragraphs=(
                given,
                how,
                *((_("You sign in there with: %(ways)s.", ways=_listed(self.ways)),) if self.ways else ()),
            ),
            closing=_("If it wasn't you, do nothing: nobody was let in."),
            links=(say.link(_("Sign in:"), "/sign-in"),),
        )


class AddressChanged(AccountNotice, frozen=True, kw_only=True):
    """Notice to the old address that the account has another one: with that one its owner signs in. A reset no longer goes here, so
    nothing of it is said."""

    kind: ClassVar[str] = "address_changed"
    subject: ClassVar[str] = N_("Your email address at %(brand)s was changed")
    said: ClassVar[str] = N_("Your account has the address %(address)s from now on. You sign in with it.")
    closing: ClassVar[str | None] = N_(
        "If it wasn't you, sign in with the new address and change it back. If you can't, ask the people who run this service at once."
    )
    weight: ClassVar[int] = ALARM
    address: str = ""


class AddressIsYours(AccountNotice, frozen=True):
    """Notice to the new address that an account has it from now on."""

    kind: ClassVar[str] = "address_is_yours"
    subject: ClassVar[str] = N_("This is now the email address of your account at %(brand)s")
    said: ClassVar[str] = N_("From now on you sign in with this address, and we write to you here.")


class ResetPasswordMail(Struct, frozen=True, kw_only=True):
    """Sent on request of a password reset: `code` and `link`, both valid for `minutes`. `ways`: what the person signs in with, if they
    have no password."""

    kind: ClassVar[str] = "reset_password"
    code: str
    link: str
    minutes: int = 10
    ways: tuple[str, ...] = ()

    def text(self, say: MessageWords, /) -> MessageText:
        """Code and link."""
        _ = say.text
        return MessageText(
            subject=_("Reset your password for %(brand)s"),
            paragraphs=(
                _("Somebody, probably you, asked for a new password for your account at %(brand)s."),
                *(
                    (
                        _(
                            "Your account has no password. You sign in with: %(ways)s. You need this code only if you want a password, too.",
                            ways=_listed(self.ways),
                        ),
                    )
                    if self.ways
                    else ()
                ),
                say.code_for(self.minutes),
            ),
            closing=_(
                "If it wasn't you, do nothing: your password stays as it is. Never give this code to anybody."
            ),
            code=grouped(self.code),
            links=(Link(label=_("Or open this link in the browser where you started:"), url=self.link),),
        )


def _listed(ways: tuple[str, ...]) -> str:
    return ", ".join(calm(one) for one in ways)
