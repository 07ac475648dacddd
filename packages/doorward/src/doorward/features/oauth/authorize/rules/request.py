"""The authorization request, from parameters to a value that passed (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.2).

Two halves, because of where a no may be said: until app and redirect URI are certain it is said on a page of our own and
never by redirect (OAuth 2.1 §4.1.2.1, line 2); from then on the app hears it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from doorward.core.errors import Refusal
from doorward.core.model.client import Client, ResponseMode
from doorward.core.model.config_snapshot import Catalog
from doorward.core.model.request import AuthRequest
from doorward.features.oauth.authorize.rules import openid, pkce
from doorward.features.oauth.authorize.rules.weight import MOST_KEPT, too_heavy, weight
from doorward.features.oauth.clients.rules import redirect_uri, scope

PARAMETERS: Final = (
    "scope resource nonce code_challenge code_challenge_method prompt max_age acr_values claims "
    "login_hint id_token_hint ui_locales display"
)
"""What an app may ask for wherever it begins a sign-in, beside who it is and where the answer goes."""


class Origin(Struct, frozen=True):
    """Who asks and where the answer goes: certain, so that errors may be sent there. `redirect_uri` is empty for the JSON
    sign-in, which answers its caller."""

    client: Client
    redirect_uri: str
    response_mode: ResponseMode
    state: str | None
    given: bool


def origin(params: Mapping[str, str], catalog: Catalog) -> Origin | Refusal:
    """First half: the app and its redirect URI. A `Refusal` here is shown on a page, never sent by redirect."""
    client_id = params.get("client_id", "")
    client = catalog.clients.get(client_id)
    if client is None:
        return Refusal(
            "invalid_client",
            "This app is not registered here.",
            f"client_id {client_id[:80]!r} is unknown. Fix: doorward app list names the ids, doorward app create registers an app",
        )
    if "authorization_code" not in client.grant_types:
        return Refusal(
            "unauthorized_client",
            "This app does not sign people in.",
            f"app {client.name!r} has no code grant",
        )
    given = params.get("redirect_uri")
    if given is None:
        # With one registered URI it may be left out (OAuth 2.1 §4.1.1); OpenID Connect requires it.
        if len(client.redirect_uris) != 1 or "openid" in params.get("scope", "").split():
            return Refusal(
                "invalid_request",
                "The app did not say where to return to.",
                "redirect_uri is missing. Fix: the app sends it; it may be left out with one registered and without openid",
            )
        target = client.redirect_uris[0]
    elif redirect_uri.matches(client.redirect_uris, given):
        target = given
    else:
        return Refusal(
            "invalid_request",
            "The app asked to return to an address that is not registered for it.",
            redirect_uri.explain(client.redirect_uris, given, client.name),
        )
    return Origin(client, target, _mode(params, client, target), params.get("state"), given is not None)


def _mode(params: Mapping[str, str], client: Client, target: str) -> ResponseMode:
    """The mode of the answer, also of a refusal: the asked one if it is registered and possible, else the app's own.

    The default is query, but never for an app that is registered without it: a code in an address is what it does not want.
    """
    postable = "form_post" in client.response_modes and is_web(target)
    if postable and (params.get("response_mode") == "form_post" or "query" not in client.response_modes):
        return "form_post"
    return "query"


def is_web(uri: str) -> bool:
    """Whether a form can be posted there: a native app's own scheme can only be opened (RFC 8252 §7.1)."""
    return uri.startswith(("https://", "http://"))


def authorize(
    params: Mapping[str, str], source: Origin, catalog: Catalog, issuer: str
) -> AuthRequest | Refusal:
    """Second half: everything else, in the order of the table below. A `Refusal` goes to the app by redirect."""
    client = source.client
    for check in (_unsupported, _response):
        refusal = check(params, source)
        if refusal is not None:
            return refusal
    target = scope.target(
        catalog=catalog,
        client=client,
        issuer=issuer,
        scope=params.get("scope"),
        resource=params.get("resource"),
    )
    if isinstance(target, Refusal):
        return target
    code_challenge = pkce.challenge(
        client,
        code_challenge=params.get("code_challenge"),
        method=params.get("code_challenge_method"),
        openid="openid" in target.scopes,
        nonce=params.get("nonce"),
    )
    if isinstance(code_challenge, Refusal):
        return code_challenge
    prompt = openid.prompt(params.get("prompt"))
    if isinstance(prompt, Refusal):
        return prompt
    max_age = openid.max_age(params.get("max_age"))
    if isinstance(max_age, Refusal):
        return max_age
    display = openid.display(params.get("display"))
    if isinstance(display, Refusal):
        return display
    claims = openid.claims(params.get("claims"))
    if isinstance(claims, Refusal):
        return claims
    essential = openid.essential_acr(claims)
    request = AuthRequest(
        client_id=client.id,
        redirect_uri=source.redirect_uri,
        response_mode=source.response_mode,
        scopes=target.scopes,
        audience=target.audience,
        state=source.state,
        nonce=params.get("nonce"),
        code_challenge=code_challenge,
        prompt=prompt,
        max_age=client.default_max_age if max_age is None else max_age,
        acr_values=tuple(params.get("acr_values", "").split()) if essential is None else essential,
        acr_essential=essential is not None,
        login_hint=params.get("login_hint"),
        hint_subject=openid.asked_subject(claims),
        ui_locales=openid.locales(params.get("ui_locales")),
        display=display,
        claims=claims,
        redirect_uri_given=source.given,
    )
    return request if weight(request) <= MOST_KEPT else too_heavy(MOST_KEPT)


def _unsupported(params: Mapping[str, str], source: Origin) -> Refusal | None:
    del source
    if "request" in params:
        return Refusal("request_not_supported", "Request objects are not supported.")
    if "request_uri" in params:
        return Refusal("request_uri_not_supported", "Request URIs are not supported.")
    return None


def _response(params: Mapping[str, str], source: Origin) -> Refusal | None:
    wanted = params.get("response_type")
    if wanted is None:
        return Refusal("invalid_request", "response_type is missing; it must be code.")
    if wanted != "code":
        # The implicit and hybrid grants put tokens into URLs (line 7).
        return Refusal(
            "unsupported_response_type", "response_type must be code.", f"response_type={wanted[:40]!r}"
        )
    if not source.redirect_uri:
        # The JSON sign-in answers its caller; no mode applies.
        return None
    mode, modes = params.get("response_mode", "query"), source.client.response_modes
    if mode == "form_post" and not is_web(source.redirect_uri):
        return Refusal(
            "invalid_request", "form_post needs a web address to post to.", "form_post to a native app"
        )
    if mode not in modes:
        return Refusal(
            "invalid_request",
            "This response_mode is not available to this app.",
            f"response_mode={mode[:40]!r}; registered: {', '.join(modes)}",
        )
    return None
