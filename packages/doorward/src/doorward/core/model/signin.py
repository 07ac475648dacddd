"""A sign-in that can pause: on a page, in a mail box, or between two calls of the JSON endpoint."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.request import AuthRequest


class Proof(Struct, frozen=True):
    """One thing that the person has shown: which factor, when, and its method references (RFC 8176).

    A `kind` that this program does not know is read like any other, and counts for nothing: a newer node may know it.

    `against` is the state that it was made for, and with which it ends (`features/authn/flow/rules/standing.py`). Of a password: when the one that
    was shown had been set (0: nobody knows), which tells it from another that was set in the very second of the proof, or by a clock
    that was wrong. Of a second factor: a digest of the factor's id. What a session vouches for has none: it ends with the session.
    """

    kind: str
    at: int
    amr: tuple[str, ...]
    phishing_resistant: bool = False
    against: int | None = None


class SignIn(Struct, frozen=True, kw_only=True):
    """The pausable value, one row. Bound to a browser (`browser_hash`, SHA-256 of its cookie) or to the JSON endpoint's
    `auth_session` (`handle_hash`); never to both.

    `request` is None for a sign-in to the account pages (then `return_to` is a local path).
    `proofs` count only for `account_id`. `fresh_after`: proofs older than this do not count (prompt=login, max_age).
    `consented` is set once the consent page was answered with yes. `done_at` is set when a code or session came out of it.
    """

    id: str
    created_at: int
    expires_at: int
    browser_hash: bytes | None = None
    handle_hash: bytes | None = None
    request: AuthRequest | None = None
    return_to: str | None = None
    account_id: str | None = None
    proofs: tuple[Proof, ...] = ()
    fresh_after: int | None = None
    session_id: str | None = None
    consented: bool = False
    done_at: int | None = None
