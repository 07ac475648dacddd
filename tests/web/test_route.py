"""Tests that a route without a declared kind prevents the start, and that only the checks can create their proof."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.features.oauth.first_party.cookie_session import AllowedApp
from doorward.features.sessions.signed_in_pages import SignedInPost
from doorward.web.http import EarlyResponse, Request, Response, json_response
from doorward.web.page_pipeline import RefusedPost, VerifiedPost
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import CSRF, ORIGIN, Route, RouteKind, app_script, machine, method_set
from tests.web.test_router import app

pytestmark = pytest.mark.requirement(70)


async def handler(request: Request) -> Response:
    return json_response({"path": request.path})


def made(**said: Any) -> Route:
    values: dict[str, Any] = {"path": "/x", "methods": method_set("POST"), "handler": handler, **said}
    return Route(**values)


def test_a_route_without_a_kind_prevents_the_start() -> None:
    with pytest.raises(TypeError, match="kind"):
        made()
    for kind in (None, "page", True):
        with pytest.raises(
            TypeError, match="/x needs a kind: page, machine, app request, app script, foreign form"
        ):
            made(kind=kind)
    for stranger in (handler, ("/x", "POST", handler), None):
        with pytest.raises(TypeError, match="is no Route"):
            app([stranger])  # type: ignore[list-item]


@pytest.mark.parametrize("checks", [(), (ORIGIN,), (CSRF,), ("sign-in",)])
def test_a_page_with_forms_but_without_their_checks_prevents_the_start(checks: tuple[str, ...]) -> None:
    for methods in ("POST", "GET POST", "DELETE"):
        with pytest.raises(ValueError, match=r"declare it with Pages\.post"):
            made(kind=RouteKind.PAGE, checks=checks, methods=method_set(methods))
    assert made(kind=RouteKind.PAGE, methods=method_set("GET")).page


def test_an_app_request_answers_get_and_post_alike() -> None:
    for methods in ("GET", "POST", "GET POST PUT"):
        with pytest.raises(ValueError, match="the same handler answers GET and POST"):
            made(kind=RouteKind.APP_REQUEST, methods=method_set(methods))
    assert made(kind=RouteKind.APP_REQUEST, methods=method_set("GET POST")).page


def test_a_foreign_form_is_posted_and_nothing_else() -> None:
    for methods in ("GET", "GET POST", "POST PUT"):
        with pytest.raises(ValueError, match=r"declare it with Pages\.foreign_form"):
            made(kind=RouteKind.FOREIGN_FORM, methods=method_set(methods))
    assert made(kind=RouteKind.FOREIGN_FORM).page
    with pytest.raises(ValueError, match="open to every origin"):
        made(kind=RouteKind.FOREIGN_FORM, cors=True)


def test_cookies_are_ignored_for_a_script_whose_origin_was_not_checked() -> None:
    with pytest.raises(ValueError, match="name the check of its origin"):
        made(kind=RouteKind.APP_SCRIPT)
    for kind in RouteKind:
        if kind is not RouteKind.MACHINE:
            with pytest.raises(
                ValueError,
                match=r"open to every origin|Pages\.(post|foreign_form)|the same handler|name the check",
            ):
                made(kind=kind, cors=True)
    assert made(kind=RouteKind.MACHINE, cors=True).cors


@pytest.mark.anyio
async def test_a_scripts_request_reaches_its_handler_only_through_the_check() -> None:
    entered: list[str] = []

    async def check(request: Request) -> str:
        if request.header(b"origin") != "https://app.example.com":
            raise EarlyResponse(json_response({"error": "access_denied"}, 403))
        return "checked"

    async def act(proof: str) -> Response:
        entered.append(proof)
        return json_response({})

    route = app_script("/x", "POST", act, check=check, checks=("origin",))
    headers = [(b"origin", b"https://evil.example")]
    scope: dict[str, Any] = {"method": "POST", "path": "/x", "query_string": b"", "headers": headers}
    assert (await route.handler(Request(scope, b""))).status == 403
    assert entered == []
    scope["headers"] = [(b"origin", b"https://app.example.com")]
    assert (await route.handler(Request(scope, b""))).status == 200
    assert entered == ["checked"]


def test_a_machine_route_gets_the_bare_request() -> None:
    """The token path has no overhead: the router calls the given handler."""
    assert machine("/token", "POST", handler, cors=True, hot=True).handler is handler


def test_only_the_checks_create_their_proof() -> None:
    browser: Any = object()
    with pytest.raises(TypeError, match="only the page pipeline"):
        VerifiedPost(browser, {}, object())
    refused: Any = RefusedPost(browser, {}, FormProblem(Wrong.STALE_FORM))
    with pytest.raises(TypeError, match="only a VerifiedPost"):
        SignedInPost(refused)
    with pytest.raises(TypeError, match="only CookieSession"):
        AllowedApp("app_web", object())
