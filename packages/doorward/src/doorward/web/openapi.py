"""What can be asked of this server over HTTP? An OpenAPI 3.1 document, kept by hand beside the routes that it describes.

A test compares it with the routes, and another one asks the running server what it promises here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from doorward import __version__
from doorward.web import openapi_pages
from doorward.web.openapi_schemas import SCHEMAS, ref

Operation = dict[str, Any]
_FORM = "application/x-www-form-urlencoded"
_NO_STORE = {
    "Cache-Control": {"description": "Never stored.", "schema": {"type": "string", "const": "no-store"}}
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
_CLIENT_AUTH: list[dict[str, list[str]]] = [{"basic": []}, {}]


def describe(issuer: str) -> dict[str, object]:
    """The document for the server at `issuer`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Doorward",
            "version": __version__,
            "description": "OAuth 2.1, OpenID Connect, JSON sign-in, cookie delivery, the revocation feed, and the hosted pages.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": issuer}],
        "tags": [
            {"name": "protocol", "description": "OAuth 2.1 and OpenID Connect."},
            {"name": "metadata", "description": "What the server publishes about itself."},
            {
                "name": "first-party",
                "description": "JSON sign-in and cookie delivery, for apps marked first-party.",
            },
            {"name": "watching", "description": "For whoever runs the server."},
            {"name": "pages", "description": "For people."},
        ],
        "paths": {**_protocol(), **_metadata(), **_first_party(), **_watching(), **openapi_pages.paths()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "client_secret_basic, RFC 6749 §2.3.1",
                },
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _protocol() -> dict[str, Any]:
    introspected = _answer("Whether the token holds, and what it says (RFC 7662 §2.2).", "Introspection")
    return {
        "/token": {
            "post": _operation(
                "token",
                "Tokens for a code, a refresh token, or the app itself (OAuth 2.1 §3.2)",
                "protocol",
                body={_FORM: ref("TokenRequest")},
                security=_CLIENT_AUTH,
                responses={
                    "200": _answer("Tokens.", "TokenResponse"),
                    **_errors("400", "401", "413", "429", "503"),
                },
            )
        },
        "/introspect": {
            "post": _operation(
                "introspect",
                "What holds of a token (RFC 7662)",
                "protocol",
                body={_FORM: ref("TokenQuestion")},
                security=_CLIENT_AUTH,
                responses={"200": introspected, **_errors("400", "401", "413", "429", "503")},
            )
        },
        "/revoke": {
            "post": _operation(
                "revoke",
                "End a token (RFC 7009)",
                "protocol",
                body={_FORM: ref("TokenQuestion")},
                security=_CLIENT_AUTH,
                responses={
                    "200": {"description": "It holds no longer, or never did.", "headers": _NO_STORE},
                    **_errors("400", "401", "413", "429", "503"),
                },
            )
        },
        "/userinfo": {
            "get": _userinfo("userinfo", None),
            "post": _userinfo("postUserinfo", {_FORM: ref("UserinfoRequest")}),
        },
        "/authorize": {
            "get": _operation(
                "authorize",
                "Begin a sign-in (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.1)",
                "protocol",
                parameters=_query(SCHEMAS["AuthorizationRequest"]),
                responses=openapi_pages.answers(onward=True),
            ),
            "post": _operation(
                "postAuthorize",
                "The same, with the parameters in the body",
                "protocol",
                body={_FORM: ref("AuthorizationRequest")},
                responses=openapi_pages.answers(onward=True),
            ),
        },
        "/logout": {
            "get": _operation(
                "logout",
                "Sign out (OpenID Connect RP-Initiated Logout 1.0 §2)",
                "protocol",
                parameters=_query(SCHEMAS["LogoutRequest"]),
                responses=openapi_pages.answers(onward=True),
            ),
            "post": _operation(
                "postLogout",
                "The same, with the parameters in the body",
                "protocol",
                body={_FORM: ref("LogoutRequest")},
                responses=openapi_pages.answers(onward=True),
            ),
        },
    }


def _userinfo(name: str, body: Mapping[str, Any] | None) -> Operation:
    challenge = {"WWW-Authenticate": {"description": "RFC 6750 §3", "schema": {"type": "string"}}}
    refused = {"description": "No token, or none that holds.", "headers": challenge}
    content = {"application/json": {"schema": ref("Error")}}
    return _operation(
        name,
        "Who signed in (OpenID Connect Core §5.3)",
        "protocol",
        body=body,
        optional_body=True,
        security=[{"bearer": []}],
        responses={
            "200": {
                "description": "Claims, as JSON or as a signed JWT when the app is registered so.",
                "headers": _NO_STORE,
                "content": {
                    "application/json": {"schema": ref("Userinfo")},
                    "application/jwt": {"schema": {"type": "string"}},
                },
            },
            "401": {**refused, "content": content},
            "403": {
                "description": "The token lacks the scope openid.",
                "headers": challenge,
                "content": content,
            },
            **_errors("400", "413", "503"),
        },
    )


def _metadata() -> dict[str, Any]:
    described = {
        "200": _answer("The metadata document.", "Metadata", headers={}),
        "304": {"description": "As before."},
    }
    tag = [_header("If-None-Match", "The ETag of the copy that the asker has.")]
    return {
        "/.well-known/openid-configuration": {
            "get": _operation(
                "openidConfiguration",
                "Metadata (Discovery 1.0 §4)",
                "metadata",
                parameters=tag,
                responses=described,
            )
        },
        "/.well-known/oauth-authorization-server": {
            "get": _operation(
                "serverMetadata",
                "Metadata (RFC 8414 §3); for an issuer with a path, this part stands before that path",
                "metadata",
                parameters=tag,
                responses=described,
            )
        },
        "/jwks": {
            "get": _operation(
                "jwks",
                "The public signing keys: next, current, previous (RFC 7517 §5)",
                "metadata",
                parameters=tag,
                responses={
                    "200": {
                        "description": "A JWK Set.",
                        "content": {"application/jwk-set+json": {"schema": ref("JwkSet")}},
                    },
                    "304": {"description": "As before."},
                },
            )
        },
        "/revocations": {
            "get": _operation(
                "revocations",
                "What no longer holds: all of it, or what came after a cursor; `wait` holds the answer back",
                "metadata",
                parameters=[
                    _parameter("after", "The cursor of the last answer.", {"type": "string"}),
                    _parameter(
                        "wait",
                        "Seconds to wait for something new.",
                        {"type": "number", "minimum": 0, "maximum": 25},
                    ),
                ],
                responses={"200": _answer("The feed.", "RevocationFeed"), **_errors("400", "503")},
            )
        },
        "/status/{number}": {
            "get": _operation(
                "statusList",
                "A status list token (Token Status List)",
                "metadata",
                parameters=[
                    {
                        "name": "number",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999_999},
                    }
                ],
                responses={
                    "200": {
                        "description": "The signed list.",
                        "content": {"application/statuslist+jwt": {"schema": {"type": "string"}}},
                    },
                    **_errors("404", "503"),
                },
            )
        },
    }


def _first_party() -> dict[str, Any]:
    return {
        "/authorize-challenge": {
            "post": _operation(
                "authorizeChallenge",
                "Sign in without a page (OAuth 2.0 for First-Party Applications §5)",
                "first-party",
                body={"application/json": ref("ChallengeRequest"), _FORM: ref("ChallengeRequest")},
                security=_CLIENT_AUTH,
                responses={
                    "200": _answer("A code for the token endpoint.", "ChallengeCode"),
                    "403": _answer("More is needed: send `next` with `auth_session`.", "ChallengeMore"),
                    "429": _answer("Too many tries; `retry_at` says until when.", "ChallengeMore"),
                    **_errors("400", "401", "413", "503"),
                },
            )
        },
        "/cookie/token": {
            "post": _cookie(
                "cookieToken", "Redeem a code into HTTP-only cookies", "CookieToken", "CookieGiven"
            ),
            "options": _preflight("cookieTokenPreflight"),
        },
        "/cookie/refresh": {
            "post": _cookie("cookieRefresh", "Renew the cookies", "CookieRefresh", "CookieGiven"),
            "options": _preflight("cookieRefreshPreflight"),
        },
        "/cookie/session": {
            "get": _operation(
                "cookieSession",
                "Who is signed in by cookie, and the CSRF token for unsafe requests",
                "first-party",
                parameters=[_parameter("client_id", "The app.", {"type": "string"}, required=True)],
                responses={
                    "200": _answer("They are.", "CookieStanding"),
                    **_errors("400", "401", "403", "503"),
                },
            ),
            "options": _preflight("cookieSessionPreflight"),
        },
        "/cookie/sign-out": {
            "post": _operation(
                "cookieSignOut",
                "End the session and clear the cookies",
                "first-party",
                parameters=[_header("X-CSRF-Token", "As given with the cookies.")],
                body={_FORM: ref("CookieRefresh")},
                responses={
                    "204": {"description": "Nobody is signed in here any more.", "headers": _NO_STORE},
                    **_errors("400", "401", "403", "413", "503"),
                },
            ),
            "options": _preflight("cookieSignOutPreflight"),
        },
    }


def _watching() -> dict[str, Any]:
    health = {"200": _answer("It answers.", "Health")}
    return {
        "/healthz": {
            "get": _operation("healthz", "Whether the process answers", "watching", responses=health)
        },
        "/readyz": {
            "get": _operation(
                "readyz",
                "Whether requests may be sent here",
                "watching",
                responses={**health, "503": _answer("Not now.", "Health")},
            )
        },
        "/metrics": {
            "get": _operation(
                "metrics",
                "Counters for Prometheus; only there when metrics.token is set",
                "watching",
                security=[{"bearer": []}],
                responses={
                    "200": {
                        "description": "The text format.",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    },
                    **_errors("401", "404"),
                },
            )
        },
    }


def _operation(
    name: str,
    summary: str,
    tag: str,
    *,
    responses: Mapping[str, Any],
    parameters: Sequence[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    optional_body: bool = False,
    security: Sequence[Mapping[str, Any]] | None = None,
) -> Operation:
    operation: Operation = {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "responses": dict(responses),
    }
    if parameters:
        operation["parameters"] = list(parameters)
    if body is not None:
        content = {kind: {"schema": schema} for kind, schema in body.items()}
        operation["requestBody"] = {"required": not optional_body, "content": content}
    if security is not None:
        operation["security"] = list(security)
    return operation


def _cookie(name: str, summary: str, asked: str, given: str) -> Operation:
    cookies = {"Set-Cookie": {"description": "__Host-dw_at and __Host-dw_rt.", "schema": {"type": "string"}}}
    return _operation(
        name,
        summary,
        "first-party",
        body={_FORM: ref(asked)},
        responses={
            "200": _answer("Done; the tokens are in cookies.", given, headers={**_NO_STORE, **cookies}),
            **_errors("400", "401", "403", "413", "503"),
        },
    )


def _preflight(name: str) -> Operation:
    answer = {"204": {"description": "Allowed for the origins that an app has registered."}}
    return _operation(name, "The browser's question before a request", "first-party", responses=answer)


def _answer(said: str, schema: str, *, headers: Mapping[str, Any] = _NO_STORE) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": said, "content": {"application/json": {"schema": ref(schema)}}}
    if headers:
        answer["headers"] = dict(headers)
    return answer


_SAID = {
    "400": "The request is not as it should be.",
    "401": "The caller did not prove who it is.",
    "403": "Not allowed.",
    "404": "There is no such thing.",
    "413": "The body is too large.",
    "429": "Too many tries.",
    "503": "Not now; try again.",
}


def _errors(*statuses: str) -> dict[str, Any]:
    return {
        status: _answer(_SAID[status], "Error", headers=_RETRY if status in {"429", "503"} else {})
        for status in statuses
    }


def _parameter(name: str, said: str, schema: Mapping[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": said, "schema": dict(schema)}


def _header(name: str, said: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": said,
        "schema": {"type": "string"},
    }


def _query(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required: Sequence[str] = schema.get("required", ())
    return [
        _parameter(name, member.get("description", ""), member, required=name in required)
        for name, member in schema["properties"].items()
    ]
