"""Tests of forms behind any proxy and with any spelling of the issuer, and of the hint on a page at the wrong address."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from doorward.features.oauth.clients.rules.registration import plain_origin
from tests.browsing import PASSWORD
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.logged import captured

pytestmark = pytest.mark.anyio
LOCAL = "http://127.0.0.1:8000"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        yield opened


@pytest.mark.requirement(70)
async def test_a_proxy_that_removes_the_referrer_breaks_no_form(front: Front) -> None:
    tab = front.browser()
    page = await tab.get("/sign-in")
    fields = {**page.forms["sign-in"].fields, "identifier": "ada@example.com", "password": PASSWORD}
    answer = await tab.ask("POST", "/sign-in", form=fields, origin="null", sec_fetch_site="same-origin")
    assert answer.status == 303


@pytest.mark.requirement(70, 100)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"origin": "null", "sec_fetch_site": "same-site"},
        {"origin": "null"},
        {"origin": "null", "sec_fetch_site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
    ],
)
async def test_a_refusal_is_shown_to_the_person_and_logged(front: Front, headers: dict[str, str]) -> None:
    tab = front.browser()
    page = await tab.get("/sign-in")
    fields = {**page.forms["sign-in"].fields, "identifier": "ada@example.com", "password": PASSWORD}
    with captured() as lines:
        answer = await tab.ask("POST", "/sign-in", form=fields, **headers)
    assert answer.status == 403
    assert answer.problem is not None
    assert answer.problem.startswith("Your browser didn't say that this form came from our own page")
    assert "__Host-dw_session" not in tab.cookies
    (line,) = [each for each in lines if each["event"] == "form.refused"]
    assert line["expected"] == "https://auth.example.com"
    assert line["received"] == headers["origin"]
    assert line["fetch_site"] == headers.get("sec_fetch_site")
    assert line["request_id"]
    assert (line["fix"] is not None) is (headers["origin"] == "null")


@pytest.mark.requirement(70)
@pytest.mark.parametrize(
    ("issuer", "origin"),
    [
        ("https://auth.example.com:443", "https://auth.example.com"),
        ("https://%61uth.example.com", "https://auth.example.com"),
        ("https://[2001:db8:0:0:0:0:0:1]:8443", "https://[2001:db8::1]:8443"),
        ("https://auth.example.com:443/tenant", "https://auth.example.com"),
    ],
)
async def test_an_issuer_in_another_spelling_accepts_forms(issuer: str, origin: str) -> None:
    async with front_channel(issuer=issuer) as front:
        await front.person()
        tab = front.browser()
        prefix = "/tenant" if issuer.endswith("tenant") else ""
        page = await tab.get(f"{prefix}/sign-in")
        fields = {**page.forms["sign-in"].fields, "identifier": "ada@example.com", "password": PASSWORD}
        answer = await tab.post(f"{prefix}/sign-in", fields, origin=origin)
        assert answer.status == 303, answer.words


async def test_a_page_under_another_name_of_this_machine_shows_the_right_address() -> None:
    async with front_channel(issuer=LOCAL) as front:
        for host in ("localhost:8000", "LOCALHOST:8000", "[::1]:8000", "[0:0:0:0:0:0:0:1]:8000"):
            tab = front.browser()
            page = await tab.ask("GET", "/sign-in?flow=x&y=%2F", host=host)
            assert page.status == 421
            assert f'href="{LOCAL}/sign-in?flow=x&amp;y=%2F"' in page.text
            assert page.forms == {}
            assert tab.cookies == {}, "no sign-in begins there"
        for host in (
            "127.0.0.1:8000",
            "app.internal:8000",
            "localhost:9000",
            "localhost",
            "[::1",
            "127.0.0.1:x",
        ):
            # a proxy may write anything there; only certain facts are shown
            page = await front.browser().ask("GET", "/sign-in", host=host)
            assert (page.status, list(page.forms)) == (200, ["sign-in"]), host


async def test_in_development_a_page_under_another_name_of_this_machine_is_redirected() -> None:
    issuer = "http://localhost:8000/tenant"
    async with front_channel(issuer=issuer, development=True) as front:
        await front.person()
        for host in ("127.0.0.1:8000", "[::1]:8000"):
            tab = front.browser()
            answer = await tab.ask("GET", "/tenant/sign-in?flow=x&y=%2F", host=host)
            assert answer.status == 303
            assert answer.header("location") == f"{issuer}/sign-in?flow=x&y=%2F"
            assert tab.cookies == {}, "no sign-in begins there"
        # a form is never sent on: its fields would follow the redirect to a page that the person has not opened
        tab = front.browser()
        page = await tab.get("/tenant/sign-in")
        fields = {**page.forms["sign-in"].fields, "identifier": "ada@example.com", "password": PASSWORD}
        other = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "sec_fetch_site": "same-origin"}
        answer = await tab.ask("POST", "/tenant/sign-in", form=fields, **other)
        assert answer.status == 421
        assert f'href="{issuer}/sign-in"' in answer.text
        assert await front.audited("sign_in.succeeded") == []
        for host in ("localhost:8000", "localhost:9000", "app.internal:8000"):
            assert (await front.browser().ask("GET", "/tenant/sign-in", host=host)).status == 200


@pytest.mark.parametrize("issuer", ["https://auth.example.com", LOCAL, "https://auth.example.com/tenant"])
async def test_a_form_opened_at_another_address_shows_the_right_one(issuer: str) -> None:
    async with front_channel(issuer=issuer) as front:
        await front.person()
        tab = front.browser()
        prefix = "/tenant" if issuer.endswith("tenant") else ""
        page = await tab.get(f"{prefix}/sign-in")
        fields = {**page.forms["sign-in"].fields, "identifier": "ada@example.com", "password": PASSWORD}
        with captured() as lines:
            answer = await tab.post(
                f"{prefix}/sign-in", fields, origin="https://203.0.113.7", site="same-origin"
            )
        assert answer.status == 421
        assert f'href="{issuer}/sign-in"' in answer.text
        assert await front.audited("sign_in.succeeded") == []
        (line,) = [each for each in lines if each["event"] == "page.wrong_address"]
        assert line["received"] == "https://203.0.113.7"
        assert line["expected"] == issuer.removesuffix("/tenant")


async def test_an_app_that_sends_its_request_by_post_gets_no_such_hint(front: Front) -> None:
    tab = front.browser()
    await tab.get("/sign-in")
    params = front.params(made.client())
    page = await tab.post("/authorize", params, origin="https://shop.example.com", site="same-origin")
    assert page.status == 303


@pytest.mark.parametrize(
    "stored", ["https://app.example.com:443", "https://APP.example.com", "https://%61pp.example.com"]
)
async def test_an_apps_origin_in_another_spelling_is_found(stored: str) -> None:
    """This includes an origin that was registered before origins were normalised."""
    app = made.public(first_party=True, origins=(stored,))
    async with front_channel() as front:
        await front.register(app)
        tab = front.browser()
        form = {"client_id": app.id, "code": "x", "code_verifier": "y", "redirect_uri": app.redirect_uris[0]}
        for origin, good in (("https://app.example.com", True), ("https://app.example.com:444", False)):
            answer = await tab.ask(
                "POST", "/cookie/token", form=form, origin=origin, sec_fetch_site="same-site"
            )
            assert ('"access_denied"' in answer.text) is not good, answer.text
            assert answer.header("access-control-allow-origin") == (origin if good else None)
            preflight = await tab.ask("OPTIONS", "/cookie/token", origin=origin)
            assert preflight.header("access-control-allow-origin") == (origin if good else None)


def test_a_new_origin_is_stored_as_browsers_write_it() -> None:
    assert plain_origin("HTTPS://App.Example.com:443") == "https://app.example.com"
    assert plain_origin("https://app.example.com/path") == "https://app.example.com/path", "refused unchanged"
