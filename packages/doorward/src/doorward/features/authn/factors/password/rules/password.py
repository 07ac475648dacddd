"""Rules for a new password: length, breach lists, personal words, strength (NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2: R77, R78)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.policy import PasswordPolicy
from doorward.features.authn.factors.password.rules import breach, strength

Why = Literal["missing", "too_short", "too_long", "breached", "guessable", "context", "unchanged"]

LEFT_OVER: Final = 6
"""Characters that must remain once the person's name, their address and the words of this service are removed."""

SHORTEST: Final = 3
"""Characters of a context word; shorter ones occur in too many passwords."""

ALONE_LOG10: Final = 8.0
BESIDE_LOG10: Final = 6.0
"""Guesses (as powers of ten) below which a password is guessable: as the only factor, and beside a second one."""

MAX_TYPED: Final = 4096
"""Longer input is a denial-of-service attempt; it is refused before any computation."""


COMPOSED: Final = 4
"""Maximum number of code points that NFKC composes into one (U+1F82). Input longer than this times the maximum length is too long, and
is refused without normalising it: the time for a run of accents grows with the square of their number."""


class Weak(Struct, frozen=True):
    """Why a password is refused. `number` is the limit that was missed, where there is one, for the page to show."""

    why: Why
    number: int | None = None


def prepare(typed: str) -> str:
    """The text that is hashed, both when setting and when checking: NFKC, so that different keyboards give the same é (§3.1.1.2).

    Nothing is trimmed or cut: a space is a character like any other. Half a surrogate pair, which JSON can spell, is not a character
    and cannot be encoded; it becomes a replacement character.
    """
    whole = typed.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFKC", whole)


def minimum(policy: PasswordPolicy, *, second_factor: bool) -> int:
    """The minimum number of characters: as the only factor, or beside a second one."""
    return (
        min(policy.min_length_with_second_factor, policy.min_length) if second_factor else policy.min_length
    )


def length(typed: str) -> int:
    """The number of code points (§3.1.1.2). One sign can expand to eighteen letters under NFKC; it counts as one."""
    return min(len(unicodedata.normalize("NFC", typed)), len(prepare(typed)))


def measure(typed: str, policy: PasswordPolicy, *, second_factor: bool) -> Weak | None:
    """Check the length only, before anything expensive."""
    if not typed:
        return Weak("missing")
    most = min(MAX_TYPED, COMPOSED * policy.max_length)
    if len(typed) > most or len(prepare(typed)) > policy.max_length:
        return Weak("too_long", policy.max_length)
    least = minimum(policy, second_factor=second_factor)
    if length(typed) < least:
        return Weak("too_short", least)
    return None


def judge(
    typed: str,
    policy: PasswordPolicy,
    *,
    second_factor: bool,
    words: tuple[str, ...],
    listed: Callable[[str], bool],
) -> Weak | None:
    """None when the password may be set. No composition rules, no expiry (R77).

    `words` come from `context_words`; `listed` looks up a SHA-1 in upper-case hex in the operator's breach list. Takes up to about
    60 ms: call it off the event loop.
    """
    wrong = measure(typed, policy, second_factor=second_factor)
    if wrong is not None:
        return wrong
    password = prepare(typed)
    if breach.common(password) or any(
        listed(breach.key(spelling)) for spelling in breach.spellings(password)
    ):
        return Weak("breached")
    if _own_part(password, words) < LEFT_OVER:
        return Weak("context")
    enough = BESIDE_LOG10 if second_factor else ALONE_LOG10
    if strength.guesses_log10(password, words) < enough:
        return Weak("context" if strength.guesses_log10(password) >= enough else "guessable")
    return None


def context_words(
    *, email: str, name: str | None, issuer_host: str, brand: str, more: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Words that an attacker who knows the person and this service would try first (ASVS 6.2.11): whole and in parts, longest first.
    `more` are the operator's."""
    local, _, domain = email.partition("@")
    whole = [email, local, domain, name or "", issuer_host, brand, *more]
    parts = [part for text in whole for part in _split(text)]
    words = {unicodedata.normalize("NFKC", word).casefold() for word in [*whole, *parts]}
    return tuple(
        sorted((word for word in words if len(word) >= SHORTEST), key=lambda word: (-len(word), word))
    )


def _split(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in text).split()


def _own_part(password: str, words: tuple[str, ...]) -> int:
    rest = password.casefold()
    for word in words:
        rest = rest.replace(word, "")
    return len(rest) if any(word in password.casefold() for word in words) else max(len(rest), LEFT_OVER)
