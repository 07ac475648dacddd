"""Web pages at the JSON sign-in: the app's own page may call and read, foreign pages may not."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.browsing import PASSWORD
from tests.features.oauth.first_party.test_challenge_routes import ADA, APP, BEGIN, call
from tests.front_channel import Front

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
APPS = (APP,)


PAGE = "https://tv.example.com"


@pytest.mark.requirement(70)
async def test_a_foreign_page_gets_an_error_and_its_guesses_are_not_counted(front: Front) -> None:
    """A form needs no preflight: visitors of a foreign page would guess passwords for its owner, each from their own address."""
    await front.register(structs.replace(APP, origins=(PAGE,)))
    for origin in ("https://evil.example", "null", "http://tv.example.com"):
        for form in ({**BEGIN, **ADA}, {**BEGIN, **ADA, "password": "wrong"}):
            for as_json in (True, False):
                answer = await call(front, form, as_json=as_json, origin=origin)
                assert (answer["status"], answer["error"]) == (400, "unauthorized_client")
    assert await front.audited("sign_in.failed") == []
    path, origin = "/authorize-challenge", "https://evil.example"
    for page in (
        await front.browser().ask("POST", path, form={**BEGIN, **ADA}, origin=origin),
        await front.browser().ask("OPTIONS", path, origin=origin),
    ):
        assert page.header("access-control-allow-origin") is None
        assert page.header("vary") == "Origin"


async def test_the_apps_own_page_may_call_and_read(front: Front) -> None:
    await front.register(structs.replace(APP, origins=(PAGE,)))
    tab = front.browser()
    page = await tab.ask("OPTIONS", "/authorize-challenge", origin=PAGE, access_control_request_method="POST")
    assert page.status == 204
    assert page.header("access-control-allow-origin") == PAGE
    assert "content-type" in (page.header("access-control-allow-headers") or "")
    assert page.header("access-control-allow-credentials") is None
    for password, status in (("wrong", 403), (PASSWORD, 200)):
        form = {**BEGIN, **ADA, "password": password}
        page = await tab.ask("POST", "/authorize-challenge", form=form, origin=PAGE)
        assert page.status == status
        assert page.header("access-control-allow-origin") == PAGE
        assert page.header("vary") == "Origin"


async def test_a_caller_without_an_origin_needs_and_gets_none(front: Front) -> None:
    page = await front.browser().ask("POST", "/authorize-challenge", form={**BEGIN, **ADA})
    assert page.status == 200
    assert page.header("access-control-allow-origin") is None
