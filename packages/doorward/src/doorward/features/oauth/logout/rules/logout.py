"""Logout request of an app: the sessions to end, the need for confirmation, and the redirect (OpenID Connect RP-Initiated Logout 1.0
§2, §3, §4)."""

from __future__ import annotations

from difflib import get_close_matches
from shlex import quote
from typing import Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.session import Session
from doorward.features.oauth.clients.rules.redirect_uri import shown_first

_SHOWN: Final = 500


class Hint(Struct, frozen=True):
    """The claims of a verified id_token_hint; `aud` are its audiences, `exp` is in seconds. It may have expired (§4). `published`: the
    key that signed it is still published; otherwise it was rotated out."""

    sub: str
    sid: str | None
    aud: tuple[str, ...]
    exp: int = 0
    published: bool = False

    def fresh(self, now: int) -> bool:
        """Whether an app would still accept it as a proof of the sign-in."""
        return self.published and now < self.exp


class Asking(Struct, frozen=True):
    """The sender of the request, as far as known. `session` is the live one of the cookie, `hinted` the one named in the hint.

    `browser`: a browser sent it (Fetch Metadata). `blind`: it was sent as an embedded resource, for which browsers withhold our
    cookies (SameSite=Lax), so that missing cookies do not mean that no one is signed in. `safe`: it was sent by HEAD, which must not
    change anything.
    """

    session: Session | None = None
    hinted: Session | None = None
    browser: bool = False
    blind: bool = False
    safe: bool = False


class SignOut(Struct, frozen=True):
    """`ask`: the person must confirm first (R75: another site's page cannot sign anyone out). `ends` are the sessions that end.

    `target` is the URI for the redirect; None: the browser stays here, and `stays` is the reason for the log.
    """

    ask: bool
    ends: tuple[Session, ...]
    client_id: str | None
    target: str | None
    state: str | None
    stays: str = ""


def named(client_id: str | None, hint: Hint | None) -> str | None:
    """The id of the app that sent the request: the given one, or the only audience of the hint."""
    return client_id or (hint.aud[0] if hint and len(hint.aud) == 1 else None)


def decide(
    *,
    client: Client | None,
    now: int,
    asking: Asking,
    hint: Hint | None,
    bad_hint: bool = False,
    client_id: str | None,
    target: str | None,
    state: str | None,
) -> SignOut | OAuthError:
    """Decide on the request. `client` is the app that `named` names, as it is registered. `bad_hint`: a hint was sent and is invalid. A `OAuthError` is shown on a page: an unregistered target is
    never used.

    - The cookie of the hint's session is present: it ends at once. The cookie of another session: the person is asked.
    - No cookie, and the hint's session is live: the holder of the hint can end it, a browser after a confirmation, another program
      at once if the hint is fresh. Until it has ended, no page says that the person is signed out.
    - No session is known: nothing ends, and the browser is redirected.
    """
    if client_id is not None and hint is not None and client_id not in hint.aud:
        return OAuthError(
            "invalid_request", "The sign-out request does not fit together.", "client_id is not the hint's"
        )
    known = named(client_id, hint)
    if known is not None and client is None and hint is None:
        return OAuthError(
            "invalid_request", "This app is not registered here.", f"client_id {known[:80]!r} is unknown"
        )
    stays = ""
    if target is not None:
        if bad_hint:
            stays = "the id_token_hint does not hold"
        elif client is None:
            stays = "post_logout_redirect_uri without an id_token_hint or client_id of an app that is registered here"
        elif target not in client.post_logout_redirect_uris:
            return _unregistered(client, target)
    session, hinted = asking.session, _live(asking.hinted, hint, now)
    if session is not None:
        fits = hint is not None and hint.sub == session.account_id and hint.sid in {None, session.id}
        ask = not fits
        ends = (session,) if hinted is None or hinted.id == session.id else (session, hinted)
    elif hint is not None and hinted is not None:
        ask = asking.browser or not hint.fresh(now)
        ends = (hinted,)
    else:
        ask = hint is None and asking.blind
        ends = ()
    # a stranger's app proves by the hint that this person signed in to it; otherwise nobody is led to it unasked (RFC 9700 §4.11.2)
    fitting = hint is not None and bool(ends) and ends[0].account_id == hint.sub
    if target is not None and client is not None and not fitting and shown_first(client, target):
        stays = "post_logout_redirect_uri of an app that no operator registered, without the id_token_hint of a session that ends"
    return SignOut(
        ask=ask or (asking.safe and bool(ends)),
        ends=ends,
        client_id=client.id if client else None,
        target=None if stays else target,
        state=state,
        stays=stays,
    )


def _live(hinted: Session | None, hint: Hint | None, now: int) -> Session | None:
    if hinted is None or hint is None or hinted.account_id != hint.sub:
        return None
    return None if hinted.ended_at is not None or hinted.expires_at <= now else hinted


def _unregistered(client: Client, target: str) -> OAuthError:
    shown = target[:_SHOWN]
    near = get_close_matches(shown, client.post_logout_redirect_uris, n=1, cutoff=0.3)
    nearest = f"; nearest {near[0]}" if near else ""
    return OAuthError(
        "invalid_request",
        "The app asked to return to an address that is not registered for it.",
        f"post_logout_redirect_uri not registered. Got {shown}{nearest}",
        fix=f"doorward app set {quote(client.name)} {_named(*client.post_logout_redirect_uris, shown)}",
    )


def _named(*uris: str) -> str:
    """All registered URIs, since the option replaces them; quoted, since one came from outside and is pasted into a shell."""
    return " ".join(f"--post-logout {quote(uri)}" for uri in uris)
