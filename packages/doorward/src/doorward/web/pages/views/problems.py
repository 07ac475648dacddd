"""What can be wrong with something a person typed, as a value; `wording.py` has the sentences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """The kinds of problem that a form can show; the sentence is chosen by kind and language."""

    CREDENTIALS = "credentials"
    """The one answer for unknown people and wrong passwords (ASVS 6.3.8)."""
    ACCOUNT_DISABLED = "account_disabled"
    """The password was right, and the account is disabled: only its owner hears of it."""
    PASSWORD_MISMATCH = "password_mismatch"
    """The current password is not right (re-authentication, password change)."""
    IDENTIFIER_MISSING = "identifier_missing"
    EMAIL_MISSING = "email_missing"
    EMAIL_INVALID = "email_invalid"
    EMAIL_BEYOND_ASCII = "email_beyond_ascii"
    """Letters beyond ASCII before the @, which our mail server does not send to."""
    NAME_TOO_LONG = "name_too_long"
    PASSWORD_MISSING = "password_missing"
    PASSWORD_TOO_SHORT = "password_too_short"
    """Give `number`: the least number of characters."""
    PASSWORD_TOO_LONG = "password_too_long"
    """Give `number`: the greatest number of characters."""
    PASSWORD_BREACHED = "password_breached"
    PASSWORD_GUESSABLE = "password_guessable"
    PASSWORD_CONTEXT = "password_context"
    """It holds the person's name or address, or the name of this service."""
    PASSWORD_UNCHANGED = "password_unchanged"
    CODE_MISSING = "code_missing"
    CODE_WRONG = "code_wrong"
    """Wrong, expired or used already: one sentence for all three."""
    CODE_SPENT = "code_spent"
    """So many wrong ones were typed that even the right one no longer works. Give `at` where another would be looked at later."""
    RECOVERY_CODE_WRONG = "recovery_code_wrong"
    TOO_MANY_TRIES = "too_many_tries"
    """Give `at`: when the next try is allowed."""
    TOO_MANY_MAILS = "too_many_mails"
    """Give `at`: when the next mail is sent. It says the other ways in, too, and the same for addresses that nobody has."""
    STALE_FORM = "stale_form"
    """The CSRF token or the sign-in behind the form is gone; this post was not used, the form is fresh now."""
    FOREIGN_FORM = "foreign_form"
    """The browser did not say that the form came from a page of ours (Origin, Sec-Fetch-Site); this post was not used."""
    CHANGED_MEANWHILE = "changed_meanwhile"
    """Another page or device changed the account while this post was worked on; this post was not used."""
    LOCALE_UNKNOWN = "locale_unknown"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `number`: a limit where the kind has one; `at`: Unix seconds where the kind has a time."""

    kind: Wrong
    number: int | None = None
    at: int | None = None
