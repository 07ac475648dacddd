"""The OAuth and OpenID Connect endpoints, and what the server publishes about itself, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorward.web.openapi import pages as openapi_pages
from doorward.web.openapi.parts import (
    CLIENT_AUTH,
    FORM,
    NO_STORE,
    Operation,
    answer,
    errors,
    header,
    operation,
    parameter,
    query,
)
from doorward.web.openapi.schemas import SCHEMAS, ref


def protocol() -> dict[str, Any]:
    """Authorization, token, introspection, revocation, userinfo, log-out."""
    introspected = answer("Whether the token holds, and what it says (RFC 7662 §2.2).", "Introspection")
    return {
        "/token": {
            "post": operation(
                "token",
                "Tokens for a code, a refresh token, or the app itself (OAuth 2.1 §3.2)",
                "protocol",
                body={FORM: ref("TokenRequest")},
                security=CLIENT_AUTH,
                responses={
                    "200": answer("Tokens.", "TokenResponse"),
                    **errors("400", "401", "413", "429", "503"),
                },
            )
        },
        "/introspect": {
            "post": operation(
                "introspect",
                "What holds of a token (RFC 7662)",
                "protocol",
                body={FORM: ref("TokenQuestion")},
                security=CLIENT_AUTH,
                responses={"200": introspected, **errors("400", "401", "413", "429", "503")},
            )
        },
        "/revoke": {
            "post": operation(
                "revoke",
                "End a token (RFC 7009)",
                "protocol",
                body={FORM: ref("TokenQuestion")},
                security=CLIENT_AUTH,
                responses={
                    "200": {"description": "It holds no longer, or never did.", "headers": NO_STORE},
                    **errors("400", "401", "413", "429", "503"),
                },
            )
        },
        "/userinfo": {
            "get": _userinfo("userinfo", None),
            "post": _userinfo("postUserinfo", {FORM: ref("UserinfoRequest")}),
        },
        "/authorize": {
            "get": operation(
                "authorize",
                "Begin a sign-in (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.1)",
                "protocol",
                parameters=query(SCHEMAS["AuthorizationRequest"]),
                responses=openapi_pages.answers(onward=True),
            ),
            "post": operation(
                "postAuthorize",
                "The same, with the parameters in the body",
                "protocol",
                body={FORM: ref("AuthorizationRequest")},
                responses=openapi_pages.answers(onward=True),
            ),
        },
        "/logout": {
            "get": operation(
                "logout",
                "Sign out (OpenID Connect RP-Initiated Logout 1.0 §2)",
                "protocol",
                parameters=query(SCHEMAS["LogoutRequest"]),
                responses=openapi_pages.answers(onward=True),
            ),
            "post": operation(
                "postLogout",
                "The same, with the parameters in the body",
                "protocol",
                body={FORM: ref("LogoutRequest")},
                responses=openapi_pages.answers(onward=True),
            ),
        },
    }


def _userinfo(name: str, body: Mapping[str, Any] | None) -> Operation:
    challenge = {"WWW-Authenticate": {"description": "RFC 6750 §3", "schema": {"type": "string"}}}
    # An error in JSON only for who brought a token; a body that may be missing cannot be described (RFC 6750 §3.1).
    refused = {"description": "No token (the answer has no body), or none that holds.", "headers": challenge}
    content = {"application/json": {"schema": ref("Error")}}
    return operation(
        name,
        "Who signed in (OpenID Connect Core §5.3)",
        "protocol",
        body=body,
        optional_body=True,
        security=[{"bearer": []}],
        responses={
            "200": {
                "description": "Claims, as JSON or as a signed JWT when the app is registered so.",
                "headers": NO_STORE,
                "content": {
                    "application/json": {"schema": ref("Userinfo")},
                    "application/jwt": {"schema": {"type": "string"}},
                },
            },
            "401": refused,
            "403": {
                "description": "The token lacks the scope openid.",
                "headers": challenge,
                "content": content,
            },
            **errors("400", "413", "503"),
        },
    )


def published() -> dict[str, Any]:
    """Metadata, keys, the revocation feed, status lists."""
    described = {
        "200": answer("The metadata document.", "Metadata", headers={}),
        "304": {"description": "As before."},
    }
    tag = [header("If-None-Match", "The ETag of the copy that the asker has.")]
    return {
        "/.well-known/openid-configuration": {
            "get": operation(
                "openidConfiguration",
                "Metadata (Discovery 1.0 §4)",
                "metadata",
                parameters=tag,
                responses=described,
            )
        },
        "/.well-known/oauth-authorization-server": {
            "get": operation(
                "serverMetadata",
                "Metadata (RFC 8414 §3); for an issuer with a path, this part stands before that path",
                "metadata",
                parameters=tag,
                responses=described,
            )
        },
        "/jwks": {
            "get": operation(
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
            "get": operation(
                "revocations",
                "What no longer holds: all of it, or what came after a cursor; `wait` holds the answer back",
                "metadata",
                parameters=[
                    parameter("after", "The cursor of the last answer.", {"type": "string"}),
                    parameter(
                        "wait",
                        "Seconds to wait for something new.",
                        {"type": "number", "minimum": 0, "maximum": 25},
                    ),
                    parameter(
                        "v",
                        "2: ids are hidden, and a long view comes in pages. Left out: as in the version before.",
                        {"type": "string", "enum": ["1", "2"]},
                    ),
                ],
                responses={"200": answer("The feed.", "RevocationFeed"), **errors("400", "503")},
            )
        },
        "/status/{number}": {
            "get": operation(
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
                    **errors("404", "503"),
                },
            )
        },
    }
