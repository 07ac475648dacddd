"""Which shapes do requests and answers have? JSON Schema (2020-12) as OpenAPI 3.1 uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def ref(name: str) -> dict[str, str]:
    """A reference to one of the schemas below."""
    return {"$ref": f"#/components/schemas/{name}"}


def _text(said: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", **({"description": said} if said else {}), **more}


def _number(said: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "integer", **({"description": said} if said else {}), **more}


def _object(properties: Mapping[str, Any], *required: str, closed: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = list(required)
    if closed:
        schema["additionalProperties"] = False
    return schema


_STRINGS = {"type": "array", "items": {"type": "string"}}

# Beside HTTP Basic, an app may authenticate with parameters (OAuth 2.1 §2.4, RFC 7523 §2.2).
_CLIENT = {
    "client_id": _text("The app."),
    "client_secret": _text("client_secret_post"),
    "client_assertion_type": _text(const="urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    "client_assertion": _text("private_key_jwt, RFC 7523 §2.2"),
}

_AUTHORIZATION = {
    "scope": _text("Space-separated; OpenID Connect scopes and permissions of one API."),
    "resource": _text("The API that the token is for, RFC 8707"),
    "nonce": _text("OpenID Connect Core §3.1.2.1"),
    "code_challenge": _text("RFC 7636 §4.2"),
    "code_challenge_method": _text(enum=["S256"]),
    "prompt": _text("none, login, consent or select_account, space-separated"),
    "max_age": _text("Seconds", pattern="^[0-9]+$"),
    "acr_values": _text("Space-separated, wanted most first"),
    "claims": _text("JSON, OpenID Connect Core §5.5"),
    "login_hint": _text("Whom to ask for"),
    "id_token_hint": _text("An ID token that this server gave out"),
    "ui_locales": _text("Languages, wanted most first"),
    "display": _text(enum=["page", "popup", "touch", "wap"]),
}

SCHEMAS: dict[str, Any] = {
    "Error": _object(
        {
            "error": _text("The specification's code."),
            "error_description": _text("A sentence that is safe to show."),
        },
        "error",
    ),
    "TokenRequest": _object(
        {
            "grant_type": _text(enum=["authorization_code", "refresh_token", "client_credentials"]),
            "code": _text("With authorization_code."),
            "redirect_uri": _text("The one of the authorization request."),
            "code_verifier": _text("RFC 7636 §4.1", minLength=43, maxLength=128),
            "refresh_token": _text("With refresh_token."),
            "scope": _text("The same or less."),
            "resource": _text("RFC 8707"),
            **_CLIENT,
        },
        "grant_type",
    ),
    "TokenResponse": _object(
        {
            "access_token": _text("A JWT, RFC 9068."),
            "token_type": _text(const="Bearer"),
            "expires_in": _number("Seconds.", minimum=0),
            "scope": _text("What was granted."),
            "refresh_token": _text("Replaces the one that was used."),
            "id_token": _text("A JWT, OpenID Connect Core §2."),
        },
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        closed=True,
    ),
    "TokenQuestion": _object(
        {"token": _text("The token."), "token_type_hint": _text("access_token or refresh_token"), **_CLIENT},
        "token",
    ),
    "Introspection": _object(
        {
            "active": {"type": "boolean"},
            "token_type": _text(),
            "iss": _text(),
            "sub": _text(),
            "aud": _text(),
            "client_id": _text(),
            "scope": _text(),
            "iat": _number(),
            "exp": _number(),
            "jti": _text(),
            "sid": _text(),
            "acr": _text(),
            "amr": _STRINGS,
            "auth_time": _number(),
            "roles": _STRINGS,
            "permissions": _STRINGS,
        },
        "active",
    ),
    "UserinfoRequest": _object({"access_token": _text("RFC 6750 §2.2")}),
    "Userinfo": _object(
        {
            "sub": _text(),
            "name": _text(),
            "locale": _text(),
            "email": _text(),
            "email_verified": {"type": "boolean"},
        },
        "sub",
    ),
    "AuthorizationRequest": _object(
        {
            "client_id": _text("The app."),
            "response_type": _text(enum=["code"]),
            "redirect_uri": _text("One of the registered ones, exactly."),
            "state": _text("Given back unchanged."),
            "response_mode": _text(enum=["query", "form_post"]),
            **_AUTHORIZATION,
        },
        "client_id",
        "response_type",
    ),
    "LogoutRequest": _object(
        {
            "id_token_hint": _text("The ID token of the session to end."),
            "client_id": _text("The app."),
            "post_logout_redirect_uri": _text("One of the registered ones, exactly."),
            "state": _text("Given back unchanged."),
            "ui_locales": _text("Languages, wanted most first"),
            "logout_hint": _text("Whom to sign out"),
        }
    ),
    "ChallengeRequest": _object(
        {
            "auth_session": _text("From the last answer; without it a new sign-in begins."),
            "username": _text("An e-mail address."),
            "password": _text("Their password."),
            "code": _text("From the authenticator app, or a recovery code."),
            **_AUTHORIZATION,
            **_CLIENT,
        }
    ),
    "ChallengeCode": _object(
        {
            "authorization_code": _text(),
            "device_token": _text(
                "On a device that the account did not know: send it with the next sign-in."
            ),
        },
        "authorization_code",
        closed=True,
    ),
    "ChallengeMore": _object(
        {
            "error": _text("insufficient_authorization, or why the last step was refused"),
            "error_description": _text(),
            "auth_session": _text("Send it with the next step."),
            "next": _text("What to send.", enum=["password", "second_factor"]),
            "retry_at": _number("Seconds since the epoch."),
        },
        "error",
        "auth_session",
        "next",
    ),
    "CookieToken": _object(
        {"client_id": _text("The app."), "code": _text(), "code_verifier": _text(), "redirect_uri": _text()},
        "client_id",
        "code",
    ),
    "CookieRefresh": _object({"client_id": _text("The app.")}, "client_id"),
    "CookieGiven": _object(
        {"expires_in": _number("Seconds."), "scope": _text(), "csrf_token": _text("For X-CSRF-Token.")},
        "expires_in",
        "scope",
        "csrf_token",
        closed=True,
    ),
    "CookieStanding": _object(
        {"sub": _text(), "csrf_token": _text("For X-CSRF-Token."), "expires_in": _number("Seconds.")},
        "csrf_token",
        "expires_in",
    ),
    "Metadata": _object(
        {
            "issuer": _text(),
            "authorization_endpoint": _text(),
            "token_endpoint": _text(),
            "jwks_uri": _text(),
            "response_types_supported": _STRINGS,
            "revocation_feed_endpoint": _text(),
        },
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
    ),
    "JwkSet": _object(
        {
            "keys": {
                "type": "array",
                "items": _object(
                    {"kty": _text(), "kid": _text(), "alg": _text(), "use": _text(const="sig")},
                    "kty",
                    "kid",
                    "alg",
                ),
            }
        },
        "keys",
        closed=True,
    ),
    "RevocationFeed": _object(
        {
            "cursor": _text("Send it as `after`."),
            "reset": {"type": "boolean", "description": "Whether to replace everything held so far."},
            "more": {"type": "boolean", "description": "Whether the next page follows at once."},
            "salt": _text("What the ids are hashed with; without it they are plain."),
            "entries": {
                "type": "array",
                "items": _object(
                    {
                        "kind": _text(enum=["jti", "grant", "sid", "sub", "client"]),
                        "id": _text(),
                        "exp": _number("After it the entry can be forgotten."),
                        "before": _number("For sub and client: tokens with iat up to it."),
                    },
                    "kind",
                    "id",
                    "exp",
                ),
            },
        },
        "cursor",
        "reset",
        "entries",
        closed=True,
    ),
    "Health": _object(
        {"status": _text(), "database": {"type": "boolean"}, "signing_keys": {"type": "boolean"}}, "status"
    ),
}
