"""An app asks to sign the person out: may it be done at once, and where do they go then? (OpenID Connect RP-Initiated Logout 1.0 §2, §3)"""

from __future__ import annotations

from difflib import get_close_matches
from shlex import quote
from typing import Final

from msgspec import Struct

from doorward.model.catalog import Catalog
from doorward.model.refusal import Refusal
from doorward.model.session import Session

_SHOWN: Final = 500


class Hint(Struct, frozen=True):
    """What a verified id_token_hint says; `aud` are its audiences. It may have expired (§4)."""

    sub: str
    sid: str | None
    aud: tuple[str, ...]


class SignOut(Struct, frozen=True):
    """`ask`: the person must confirm first (line 75: no page of a stranger signs anybody out). `target` is where they go then."""

    ask: bool
    client_id: str | None
    target: str | None
    state: str | None


def decide(
    *,
    catalog: Catalog,
    session: Session | None,
    hint: Hint | None,
    client_id: str | None,
    target: str | None,
    state: str | None,
) -> SignOut | Refusal:
    """What to do with the request. A `Refusal` is shown on a page: an unregistered target is never gone to.

    Without a hint, or with one that is about another person or session than this browser's, the person is asked.
    """
    if client_id is not None and hint is not None and client_id not in hint.aud:
        return Refusal(
            "invalid_request", "The sign-out request does not fit together.", "client_id is not the hint's"
        )
    known = client_id or (hint.aud[0] if hint and len(hint.aud) == 1 else None)
    client = catalog.clients.get(known) if known else None
    if known is not None and client is None and hint is None:
        return Refusal(
            "invalid_request", "This app is not registered here.", f"client_id {known[:80]!r} is unknown"
        )
    if target is not None:
        if client is None:
            return Refusal(
                "invalid_request",
                "The app did not say who it is, so nobody can be sent back to it.",
                "post_logout_redirect_uri without client_id or id_token_hint",
            )
        if target not in client.post_logout_redirect_uris:
            shown = target[:_SHOWN]
            near = get_close_matches(shown, client.post_logout_redirect_uris, n=1, cutoff=0.3)
            nearest = f"; nearest {near[0]}" if near else ""
            return Refusal(
                "invalid_request",
                "The app asked to return to an address that is not registered for it.",
                f"post_logout_redirect_uri not registered. Got {shown}{nearest}. "
                f"Fix: doorward app set {quote(client.name)} {_named(*client.post_logout_redirect_uris, shown)}",
            )
    fits = hint is not None and (
        session is None or (hint.sub == session.account_id and hint.sid in {None, session.id})
    )
    return SignOut(
        ask=session is not None and not fits,
        client_id=client.id if client else None,
        target=target,
        state=state,
    )


def _named(*uris: str) -> str:
    """All of them, since the option replaces; quoted, since one came from outside and is pasted into a shell."""
    return " ".join(f"--post-logout {quote(uri)}" for uri in uris)
