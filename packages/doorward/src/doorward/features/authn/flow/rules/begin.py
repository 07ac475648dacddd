"""Start of a sign-in, with the proofs of an earlier session that still count (OpenID Connect Core §3.1.2.1)."""

from __future__ import annotations

from collections.abc import Collection

from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.rules.vouching import from_session


def fresh_after(request: AuthRequest | None, now: int) -> int | None:
    """The time before which proofs do not count: now for prompt=login, `max_age` ago for max_age (OpenID Connect Core §3.1.2.1)."""
    if request is None:
        return None
    if "login" in request.prompt:
        return now
    if request.max_age is not None:
        return now - request.max_age
    return None


def may_reuse(request: AuthRequest | None, session: Session, subject: str | None) -> bool:
    """Whether proofs of the browser's session may be reused. `subject` is the account that the app expects (a hint), if any.

    prompt=login and prompt=select_account require the person to act; max_age=0 equals prompt=login.
    """
    if request is None:
        return True
    if request.prompt & {"login", "select_account", "create"} or request.max_age == 0:
        return False
    return subject is None or subject == session.account_id


def sign_in(
    *,
    sign_in_id: str,
    now: int,
    ttl: int,
    browser_hash: bytes | None,
    handle_hash: bytes | None = None,
    request: AuthRequest | None,
    return_to: str | None = None,
    session: Session | None,
    kinds: Collection[str],
) -> SignIn:
    """The initial state of a sign-in, with the session's proofs where they may count. `kinds` are those of this server's factors."""
    bound = fresh_after(request, now)
    proofs: tuple[Proof, ...] = ()
    if session is not None and may_reuse(request, session, request.hint_subject if request else None):
        proofs = tuple(proof for proof in from_session(session, kinds) if bound is None or proof.at >= bound)
    return SignIn(
        id=sign_in_id,
        created_at=now,
        expires_at=now + ttl,
        browser_hash=browser_hash,
        handle_hash=handle_hash,
        request=request,
        return_to=return_to,
        account_id=session.account_id if session is not None and proofs else None,
        proofs=proofs,
        fresh_after=bound,
        session_id=session.id if session is not None and proofs else None,
    )
