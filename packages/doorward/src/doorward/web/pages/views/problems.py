"""Problems of submitted forms."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.web.pages.views.said import Said
from doorward.web.pages.words import N_


class Wrong(Said):
    """The kinds of problem that forms of several features show; a feature has further ones in its folder. The sentence is chosen by kind
    and language; of two the second is for a problem with a time (%(clock)s, %(moment)s)."""

    CREDENTIALS = "credentials", N_("That email and password don't match.")
    """The same answer for unknown accounts and wrong passwords (ASVS 6.3.8)."""
    ACCOUNT_DISABLED = (
        "account_disabled",
        N_("Your account is disabled. Ask the people who run this service to enable it again."),
    )
    """The password was right, and the account is disabled: only its owner sees this."""
    PASSWORD_MISMATCH = "password_mismatch", N_("That password isn't right.")
    """The current password is wrong (re-authentication, password change)."""
    IDENTIFIER_MISSING = "identifier_missing", N_("Enter your email address.")
    EMAIL_MISSING = "email_missing", N_("Enter your email address.")
    EMAIL_INVALID = "email_invalid", N_("Enter an email address like name@example.com.")
    EMAIL_BEYOND_ASCII = (
        "email_beyond_ascii",
        N_(
            "We can't send email to an address with accents or letters of other scripts before the @. Use"
            " another one."
        ),
    )
    """Non-ASCII letters before the @, to which our mail server does not send."""
    EMAIL_UNCHANGED = "email_unchanged", N_("That is your address already. Enter the new one.")
    NAME_TOO_LONG = "name_too_long"
    PASSWORD_MISSING = "password_missing", N_("Enter a password.")
    PASSWORD_TOO_SHORT = "password_too_short"
    """Give `number`: the minimum number of characters."""
    PASSWORD_TOO_LONG = "password_too_long"
    """Give `number`: the maximum number of characters."""
    PASSWORD_BREACHED = (
        "password_breached",
        N_("That password has appeared in a data leak. Choose another one."),
    )
    PASSWORD_GUESSABLE = (
        "password_guessable",
        N_("That password is easy to guess. Add a few more words that don't belong together."),
    )
    PASSWORD_CONTEXT = (
        "password_context",
        N_("That password contains your name, your address or a word of this service. Choose another one."),
    )
    """It contains the person's name or address, or a word of this service."""
    PASSWORD_UNCHANGED = "password_unchanged", N_("That is your current password. Choose another one.")
    CODE_MISSING = "code_missing", N_("Enter the code.")
    CODE_WRONG = "code_wrong", N_("That code didn't work. Check it, or use the newest one.")
    """Wrong, expired or used already: one sentence for all three."""
    CODE_SPENT = (
        "code_spent",
        N_(
            "Too many wrong codes, so this message's code no longer works. Send another message, or open"
            " the link in this one."
        ),
        N_("Too many wrong codes. Open the link in the message instead, or try again at %(clock)s."),
    )
    """After too many wrong codes even the right one no longer works. Give `at` if another code is accepted later."""
    CODE_NOT_YET = (
        "code_not_yet",
        N_("A code was sent a moment ago. You can ask for another one at %(clock)s."),
    )
    """A code was sent a moment ago. Give `at`: when another one may be asked for."""
    CODE_UNDELIVERABLE = "code_undeliverable", N_("We can't send a code there. Use another way.")
    LAST_METHOD = "last_method", N_("Add another way to sign in first.")
    """Without it nothing would be left to sign in with."""
    LAST_STEP = (
        "last_step",
        N_("You need a second step here. Set up another one first, then remove this one."),
    )
    """The settings, a role or an operator demand one."""
    NOT_YET = "not_yet", N_("Not yet: this service is being updated. Try again in a few minutes.")
    """A process of an older version, which does not know this kind of factor, still answers."""
    TOO_MANY_TRIES = (
        "too_many_tries",
        N_("Too many tries. Try again in a few minutes."),
        N_("Too many tries. Try again at %(clock)s."),
    )
    """Give `at`: the time of the next permitted attempt."""
    TOO_MANY_MAILS = (
        "too_many_mails",
        N_(
            "Too many messages were asked for this address. The next one can be sent from %(moment)s on. Until then, a"
            " device on which you have signed in before is not held up; or ask whoever runs this service for help."
        ),
    )
    """Give `at`: the time of the next mail. It names the other ways to sign in, too, and is the same for addresses without an account."""
    STALE_FORM = (
        "stale_form",
        N_("This page was out of date, so we didn't use what you sent. Please try again."),
    )
    """The CSRF token or the sign-in of the form is gone; this post was not used, and the form is fresh now."""
    FOREIGN_FORM = (
        "foreign_form",
        N_(
            "Your browser didn't say that this form came from our own page, so we didn't use it. Please"
            " try again here. If it happens again, tell the people who run this service."
        ),
    )
    """The browser did not confirm that the form came from a page of ours (Origin, Sec-Fetch-Site); this post was not used."""
    CHANGED_MEANWHILE = (
        "changed_meanwhile",
        N_(
            "Your account changed while this page was open, so we didn't use what you sent. See what is"
            " set now, then try again."
        ),
    )
    """Another page or device changed the account while this post was processed; this post was not used."""
    PROVIDER_CANCELLED = (
        "provider_cancelled",
        N_("You didn't finish signing in there, so nothing was done. Try again, or use another way."),
    )
    """The person, or the provider in their name, said no."""
    PROVIDER_UNAVAILABLE = (
        "provider_unavailable",
        N_("That service isn't answering right now. Try again later, or use another way."),
    )
    PROVIDER_REFUSED = (
        "provider_refused",
        N_("That sign-in didn't work. Try again, or use another way."),
    )
    """What came back did not verify; the audit log says which step."""
    PROVIDER_ACCOUNT = (
        "provider_account",
        N_(
            "That account can't be used here. Choose another one there, such as the one of your organisation."
        ),
    )
    PROVIDER_NOT_RECENT = (
        "provider_not_recent",
        N_("You have to sign in anew for this, and that service didn't ask you to. Use another way."),
    )
    PROVIDER_TAKEN = (
        "provider_taken",
        N_("That account can't be connected: it is connected to another account here, or you have too many."),
    )
    PROVIDER_REPLACED = (
        "provider_replaced",
        N_(
            "The account here with that address is connected to another account of that service. Sign in another way, or ask the people who run this service."
        ),
    )
    PROVIDER_NO_ACCOUNT = (
        "provider_no_account",
        N_("Nobody here has connected that account. Sign in another way, then connect it to your account."),
    )
    PROVIDER_OVER = "provider_over", N_("That took too long, or something changed meanwhile. Try again.")
    LOCALE_UNKNOWN = "locale_unknown", N_("Choose one of the languages in the list.")


class FormProblem(Struct, frozen=True):
    """One problem. `kind` is of `Wrong`, or of a feature's own kinds. `number`: a limit if the kind has one; `at`: Unix seconds if the kind has a time."""

    kind: Said
    number: int | None = None
    at: int | None = None

    @property
    def status(self) -> int:
        """The status of the response to a form with this problem."""
        if self.at is not None:
            return 429
        return _STATUS.get(self.kind, 400)


_STATUS: Final[dict[Said, int]] = {
    Wrong.STALE_FORM: 403,
    Wrong.FOREIGN_FORM: 403,
    Wrong.CHANGED_MEANWHILE: 409,
    Wrong.LAST_METHOD: 409,
    Wrong.NOT_YET: 503,
    Wrong.TOO_MANY_TRIES: 429,
    Wrong.TOO_MANY_MAILS: 429,
}


class Form(Struct, frozen=True, kw_only=True):
    """A page with a form. `problem` is shown above it; a view has further ones for its fields, with names of their own."""

    problem: FormProblem | None = None

    @property
    def fault(self) -> FormProblem | None:
        """The first problem, if there is one."""
        found = (self.problem, *(getattr(self, name) for name in self.__struct_fields__))
        return next((one for one in found if isinstance(one, FormProblem)), None)
