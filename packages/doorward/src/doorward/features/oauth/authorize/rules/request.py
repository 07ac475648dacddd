"""Authorization request: from parameters to a checked value (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.2).

It has two halves, by the place where an error may be shown: until app and redirect URI are verified, on a page of this server and
never by redirect (OAuth 2.1 §4.1.2.1, R2); after that, at the app.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client, ResponseMode
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.request import AuthRequest
from doorward.features.oauth.authorize.rules import openid, pkce
from doorward.features.oauth.authorize.rules.weight import MOST_KEPT, too_heavy, weight
from doorward.features.oauth.clients.rules import redirect_uri, scope

PARAMETERS: Final = (
    "scope resource nonce code_challenge code_challenge_method prompt max_age acr_values claims "
    "login_hint id_token_hint ui_locales display"
)
"""Parameters accepted wherever an app begins a sign-in, besides those that name the app and the response's target."""


class Origin(Struct, frozen=True):
    """The verified app and target of the response, so that errors may be sent there. `redirect_uri` is empty for the JSON sign-in,
    which answers its caller."""

    client: Client
    redirect_uri: str
    response_mode: ResponseMode
    state: str | None
    given: bool


def origin(params: Mapping[str, str], client: Client) -> Origin | OAuthError:
    """First half: the redirect URI of the app that `client_id` names. A `OAuthError` is shown on a page, never sent by redirect."""
    if "authorization_code" not in client.grant_types:
        return OAuthError(
            "unauthorized_client",
            "This app does not sign people in.",
            f"app {client.name!r} has no code grant",
        )
    given = params.get("redirect_uri")
    if given is None:
        # With one registered URI it may be omitted (OAuth 2.1 §4.1.1); OpenID Connect requires it.
        if len(client.redirect_uris) != 1 or "openid" in params.get("scope", "").split():
            return OAuthError(
                "invalid_request",
                "The app did not say where to return to.",
                "redirect_uri is missing",
                fix="the app sends it; it may be left out with one registered and without openid",
            )
        target = client.redirect_uris[0]
    elif redirect_uri.matches(client.redirect_uris, given, localhost=client.free_localhost):
        target = given
    else:
        return OAuthError(
            "invalid_request",
            "The app asked to return to an address that is not registered for it.",
            redirect_uri.explain(client.redirect_uris, given),
            fix=redirect_uri.fix(given, client.name),
        )
    return Origin(client, target, _mode(params, client, target), params.get("state"), given is not None)


def _mode(params: Mapping[str, str], client: Client, target: str) -> ResponseMode:
    """The mode of the response, also of a refusal: the requested one if it is registered and possible, else the app's own. The default
    is query, except for an app registered without it, which wants no code in a URL."""
    postable = "form_post" in client.response_modes and is_web(target)
    if postable and (params.get("response_mode") == "form_post" or "query" not in client.response_modes):
        return "form_post"
    return "query"


def is_web(uri: str) -> bool:
    """Whether a form can be posted to the URI: the private-use scheme of a native app can only be opened (RFC 8252 §7.1)."""
    return uri.startswith(("https://", "http://"))


def authorize(
    params: Mapping[str, str], source: Origin, config: ConfigSnapshot, issuer: str
) -> AuthRequest | OAuthError:
    """Second half: all other parameters, in the order below. A `OAuthError` goes to the app by redirect."""
    client = source.client
    if (error := _unsupported(params, source)) is not None:
        return error
    target = scope.target(
        config=config,
        client=client,
        issuer=issuer,
        scope=params.get("scope"),
        resource=params.get("resource"),
    )
    if isinstance(target, OAuthError):
        return target
    code_challenge = pkce.challenge(
        client,
        code_challenge=params.get("code_challenge"),
        method=params.get("code_challenge_method"),
        openid="openid" in target.scopes,
        nonce=params.get("nonce"),
    )
    if isinstance(code_challenge, OAuthError):
        return code_challenge
    prompt = openid.prompt(params.get("prompt"))
    if isinstance(prompt, OAuthError):
        return prompt
    max_age = openid.max_age(params.get("max_age"))
    if isinstance(max_age, OAuthError):
        return max_age
    display = openid.display(params.get("display"))
    if isinstance(display, OAuthError):
        return display
    claims = openid.claims(params.get("claims"))
    if isinstance(claims, OAuthError):
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


def _unsupported(params: Mapping[str, str], source: Origin) -> OAuthError | None:
    """Check for request objects, and for another response than this server and the app have."""
    if "request" in params:
        return OAuthError("request_not_supported", "Request objects are not supported.")
    if "request_uri" in params:
        return OAuthError("request_uri_not_supported", "Request URIs are not supported.")
    wanted = params.get("response_type")
    if wanted is None:
        return OAuthError("invalid_request", "response_type is missing; it must be code.")
    if wanted != "code":
        # The implicit and hybrid grants put tokens into URLs (R7).
        return OAuthError(
            "unsupported_response_type", "response_type must be code.", f"response_type={wanted[:40]!r}"
        )
    if not source.redirect_uri:
        # The JSON sign-in answers its caller, so no mode applies.
        return None
    mode, modes = params.get("response_mode", "query"), source.client.response_modes
    if mode == "form_post" and not is_web(source.redirect_uri):
        return OAuthError(
            "invalid_request", "form_post needs a web address to post to.", "form_post to a native app"
        )
    if mode not in modes:
        return OAuthError(
            "invalid_request",
            "This response_mode is not available to this app.",
            f"response_mode={mode[:40]!r}; registered: {', '.join(modes)}",
        )
    return None
