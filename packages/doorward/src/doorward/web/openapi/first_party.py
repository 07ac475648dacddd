"""JSON sign-in and cookie delivery, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

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
)
from doorward.web.openapi.schemas import ref


def first_party() -> dict[str, Any]:
    """The endpoints that only apps marked first-party may use."""
    return {
        "/authorize-challenge": {
            "post": operation(
                "authorizeChallenge",
                "Sign in without a page (OAuth 2.0 for First-Party Applications §5)",
                "first-party",
                body={"application/json": ref("ChallengeRequest"), FORM: ref("ChallengeRequest")},
                security=CLIENT_AUTH,
                responses={
                    "200": answer("A code for the token endpoint.", "ChallengeCode"),
                    "403": answer("More is needed: send `next` with `auth_session`.", "ChallengeMore"),
                    "429": answer("Too many tries; `retry_at` says until when.", "ChallengeMore"),
                    **errors("400", "401", "413", "503"),
                },
            ),
            "options": _preflight("authorizeChallengePreflight"),
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
            "get": operation(
                "cookieSession",
                "Who is signed in by cookie, and the CSRF token for unsafe requests",
                "first-party",
                parameters=[parameter("client_id", "The app.", {"type": "string"}, required=True)],
                responses={
                    "200": answer("They are.", "CookieStanding"),
                    **errors("400", "401", "403", "503"),
                },
            ),
            "options": _preflight("cookieSessionPreflight"),
        },
        "/cookie/sign-out": {
            "post": operation(
                "cookieSignOut",
                "End the session and clear the cookies",
                "first-party",
                parameters=[header("X-CSRF-Token", "As given with the cookies.")],
                body={FORM: ref("CookieRefresh")},
                responses={
                    "204": {"description": "Nobody is signed in here any more.", "headers": NO_STORE},
                    **errors("400", "401", "403", "413", "503"),
                },
            ),
            "options": _preflight("cookieSignOutPreflight"),
        },
    }


def _cookie(name: str, summary: str, asked: str, given: str) -> Operation:
    cookies = {
        "Set-Cookie": {
            "description": "__Host-dw_<mark>_at and __Secure-dw_<mark>_rt.",
            "schema": {"type": "string"},
        }
    }
    return operation(
        name,
        summary,
        "first-party",
        body={FORM: ref(asked)},
        responses={
            "200": answer("Done; the tokens are in cookies.", given, headers={**NO_STORE, **cookies}),
            **errors("400", "401", "403", "413", "503"),
        },
    )


def _preflight(name: str) -> Operation:
    allowed = {"204": {"description": "Allowed for the origins that an app has registered."}}
    return operation(name, "The browser's question before a request", "first-party", responses=allowed)
