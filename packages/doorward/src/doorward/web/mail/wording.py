"""What each letter says, in plain words of one language."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.web.mail.letters import (
    AddressTaken,
    Letter,
    NewDevice,
    PasswordChanged,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    RefreshReplayed,
    ResetPassword,
    SecondFactorAdded,
    SecondFactorFailed,
    SecondFactorRemoved,
    SecondFactorReset,
    VerifyAddress,
)
from doorward.web.pages.qr import in_groups
from doorward.web.pages.words import Words, calm, device_name


@dataclass(frozen=True, slots=True)
class Link:
    """A link and the words before it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Said:
    """A letter's parts in their order: subject, paragraphs, code, links, closing paragraph."""

    subject: str
    paragraphs: tuple[str, ...]
    closing: str | None = None
    code: str | None = None
    links: tuple[Link, ...] = ()


def put_into_words(letter: Letter, words: Words, *, brand: str, issuer: str) -> Said:
    """The letter's parts. `issuer` is the issuer URL, on which the links to the account pages stand."""
    _ = words.text
    brand = calm(brand)
    issuer = issuer.rstrip("/")
    activity = Link(_("See what happened and undo it:"), f"{issuer}/account/activity")
    not_you = Link(_("If this wasn't you, reset your password at once:"), f"{issuer}/reset")
    match letter:
        case VerifyAddress():
            return Said(
                _("Confirm your email address for %(brand)s", brand=brand),
                (
                    _(
                        "Somebody, probably you, is creating an account at %(brand)s with this address.",
                        brand=brand,
                    )
                    if letter.app is None
                    else _(
                        "Somebody, probably you, is creating an account at %(brand)s with this address to use %(app)s.",
                        brand=brand,
                        app=calm(letter.app),
                    ),
                    _code_for(words, letter.minutes),
                ),
                _("If it wasn't you, do nothing: no account is made. Never give this code to anybody."),
                _grouped(letter.code),
                (Link(_("Or open this link in the browser where you started:"), letter.link),),
            )
        case AddressTaken():
            return Said(
                _("You already have an account at %(brand)s", brand=brand),
                (
                    _(
                        "Somebody, probably you, tried to create an account with this address. There is one already."
                    ),
                ),
                _("If it wasn't you, do nothing: nobody was let in."),
                links=(
                    Link(_("Sign in:"), f"{issuer}/sign-in"),
                    Link(_("Forgot your password? Choose a new one:"), f"{issuer}/reset"),
                ),
            )
        case ResetPassword():
            return Said(
                _("Reset your password for %(brand)s", brand=brand),
                (
                    _(
                        "Somebody, probably you, asked for a new password for your account at %(brand)s.",
                        brand=brand,
                    ),
                    _code_for(words, letter.minutes),
                ),
                _(
                    "If it wasn't you, do nothing: your password stays as it is. Never give this code to anybody."
                ),
                _grouped(letter.code),
                (Link(_("Or open this link in the browser where you started:"), letter.link),),
            )
        case PasswordChanged():
            return Said(
                _("Your password for %(brand)s was changed", brand=brand),
                (_("Your password was changed."), _whence(words, letter.at, letter.device, letter.place)),
                links=(activity, not_you),
            )
        case NewDevice():
            where = _whence(words, letter.at, letter.device, letter.place)
            return Said(
                _("New sign-in to your account at %(brand)s", brand=brand),
                (
                    _("Somebody signed in to your account on a device we haven't seen before.")
                    if letter.app is None
                    else _(
                        "Somebody signed in to %(app)s with your account, on a device we haven't seen before.",
                        app=calm(letter.app),
                    ),
                    where,
                ),
                links=(activity, not_you),
            )
        case RefreshReplayed():
            return Said(
                _("We ended a sign-in of %(app)s", app=calm(letter.app)),
                (
                    _(
                        "The sign-in of %(app)s was used twice. That can happen when somebody copies it, so we ended it.",
                        app=calm(letter.app),
                    ),
                    _whence(words, letter.at, None, None),
                    _("Your password had no part in it. To go on using the app, sign in to it again."),
                ),
                _("If it happens again, tell the people who run the app."),
                links=(activity,),
            )
        case SecondFactorAdded():
            return Said(
                _("An authenticator app was added to your account at %(brand)s", brand=brand),
                (
                    _("From now on we ask for a code from the app when you sign in."),
                    _whence(words, letter.at, letter.device, letter.place),
                ),
                links=(activity, not_you),
            )
        case SecondFactorRemoved():
            return Said(
                _("The authenticator app was removed from your account at %(brand)s", brand=brand),
                (
                    _("From now on your password alone is enough to sign in."),
                    _whence(words, letter.at, letter.device, letter.place),
                ),
                links=(activity, not_you),
            )
        case SecondFactorReset():
            return Said(
                _("The authenticator app was removed from your account at %(brand)s", brand=brand),
                (
                    _(
                        "The people who run %(brand)s removed the authenticator app and the recovery codes from your"
                        " account, and signed you out everywhere.",
                        brand=brand,
                    ),
                    _("To sign in, choose a new password first.")
                    if letter.password_too
                    else _("From now on your password alone is enough to sign in."),
                    _whence(words, letter.at, None, None),
                ),
                _("If you didn't ask for this, tell them at once."),
                links=(
                    *(
                        (Link(_("Forgot your password? Choose a new one:"), f"{issuer}/reset"),)
                        if letter.password_too
                        else ()
                    ),
                    Link(_("Set up an authenticator app again:"), f"{issuer}/account/methods"),
                ),
            )
        case SecondFactorFailed():
            return Said(
                _("Wrong codes at the sign-in to your account at %(brand)s", brand=brand),
                (
                    _(
                        "Somebody typed your password, and then several wrong codes. Nobody was let in by them."
                    ),
                    _whence(words, letter.at, letter.device, letter.place),
                ),
                links=(activity, not_you),
            )
        case RecoveryCodeUsed():
            return Said(
                _("A recovery code of your account at %(brand)s was used", brand=brand),
                (
                    _("Somebody signed in with your password and one of your recovery codes."),
                    words.counted(
                        "%(number)s recovery code is left. You can make new ones on the page of your sign-in methods.",
                        "%(number)s recovery codes are left. You can make new ones on the page of your sign-in methods.",
                        letter.left,
                    ),
                    _whence(words, letter.at, letter.device, letter.place),
                ),
                links=(activity, not_you),
            )
        case RecoveryCodesMade():
            return Said(
                _("New recovery codes for your account at %(brand)s", brand=brand),
                (
                    _("New recovery codes were made. The old ones no longer work."),
                    _whence(words, letter.at, letter.device, letter.place),
                ),
                links=(activity, not_you),
            )


def _grouped(code: str) -> str:
    # A space between two numbers lets a text from right to left change their order, and the code is another one; a no-break
    # space is part of the number (UAX #9, rule W4).
    return in_groups(code, 3).replace(" ", "\u00a0")


def _code_for(words: Words, minutes: int) -> str:
    return words.counted(
        "Type this code on the page where you started. It works for %(number)s minute.",
        "Type this code on the page where you started. It works for %(number)s minutes.",
        minutes,
    )


def _whence(words: Words, at: int, device: str | None, place: str | None) -> str:
    parts = [words.moment(at)]
    if device is not None:
        parts.append(calm(device_name(words, device)))
    if place is not None:
        parts.append(words.text("%(place)s (approx.)", place=calm(place)))
    return " · ".join(parts)
