"""Sign-in in progress, which can pause: on a page, until a mail is read, or between two calls of the JSON endpoint."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.request import AuthRequest


class Proof(Struct, frozen=True):
    """One factor that the person has shown: its kind, time and method references (RFC 8176).

    A `kind` that this program does not know is read but does not count: a newer node may know it.

    `against` is the state that the proof depends on (`features/authn/flow/rules/standing.py`). For a password:
    `Account.password_state`, which distinguishes it from one set in the same second, or by a wrong clock. For a second factor: a digest of the factor's id. A proof from a session has none: it ends with the
    session. That of an account elsewhere has one, since its time is that of the sign-in there.
    """

    kind: str
    at: int
    amr: tuple[str, ...]
    phishing_resistant: bool = False
    against: int | None = None


class SignIn(Struct, frozen=True, kw_only=True):
    """The stored state, one row. Bound to a browser (`browser_hash`, SHA-256 of its cookie) or to the JSON endpoint's
    `auth_session` (`handle_hash`); never to both.

    `request` is None for a sign-in to the account pages (then `return_to` is a local path). `proofs` count only for
    `account_id`. `fresh_after`: proofs older than this do not count (prompt=login, max_age). `consented` is set once
    consent was given. `done_at` is set when a code or session was issued.
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
