"""Robustness of the user pages: any text in any field gets an intended status, never a server error."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.browsing import SESSION
from tests.people import PASSWORD, Browser, House

pytestmark = pytest.mark.anyio

GETS = (
    "/sign-in",
    "/sign-in/code",
    "/sign-up",
    "/sign-up/check",
    "/verify",
    "/reset",
    "/reset/check",
    "/reset/link",
    "/reset/new",
    "/account",
    "/account/methods",
    "/account/methods/authenticator",
    "/account/devices",
    "/account/apps",
    "/account/activity",
    "/account/confirm",
)
POSTS = (
    "/sign-in",
    "/sign-in/code",
    "/sign-up",
    "/sign-up/check",
    "/sign-up/resend",
    "/verify",
    "/reset",
    "/reset/check",
    "/reset/resend",
    "/reset/link",
    "/reset/new",
    "/account",
    "/account/methods/password",
    "/account/methods/authenticator",
    "/account/methods/authenticator/remove",
    "/account/methods/recovery",
    "/account/devices/end",
    "/account/devices/end-others",
    "/account/apps/disconnect",
    "/account/activity/report",
    "/account/confirm",
)
FIELDS = (
    "flow",
    "ticket",
    "token",
    "identifier",
    "email",
    "password",
    "name",
    "code",
    "method",
    "current",
    "new",
    "setup",
    "session",
    "app",
    "event",
    "return_to",
    "locale",
    "done",
    "word",
    "reset",
    "restart",
    "prompt",
)
texts = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "\x00",
        "sin_" + "0" * 32,
        "tkt_" + "0" * 32,
        "\r\nset-cookie: a=b",
        "//evil.example",
        "é" * 300,
        "123456",
    ]
)
fields = st.dictionaries(st.sampled_from(FIELDS), texts, max_size=6)
MEANT = {200, 303, 400, 403, 409, 410, 413, 429, 503}


async def signed_in(house: House) -> tuple[Browser, str]:
    await house.person()
    browser = house.browser()
    await browser.sign_in(password=PASSWORD)
    return browser, (await browser.get("/account")).forms["profile"].fields["csrf"]


async def test_any_text_in_an_address_is_answered(house: House) -> None:
    owner, _ = await signed_in(house)
    stranger = house.browser()
    drawn: list[tuple[str, dict[str, str]]] = []

    @settings(max_examples=250, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(GETS), fields)
    def draw(path: str, given_fields: dict[str, str]) -> None:
        drawn.append((path, given_fields))

    draw()
    for path, given_fields in drawn:
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in given_fields.items())
        for browser in (owner, stranger):
            page = await browser.get(f"{path}?{query}")
            assert page.status in MEANT, (path, given_fields)
            assert page.header("location") is None or (page.header("location") or "").startswith("/")


async def test_any_text_in_a_form_is_answered(house: House) -> None:
    owner, csrf = await signed_in(house)
    stranger = house.browser("203.0.113.9")
    strange = (await stranger.get("/sign-in")).forms["sign-in"].fields["csrf"]
    drawn: list[tuple[str, dict[str, str], bool]] = []

    @settings(max_examples=250, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(POSTS), fields, st.booleans())
    def draw(path: str, given_fields: dict[str, str], genuine: bool) -> None:
        drawn.append((path, given_fields, genuine))

    draw()
    for path, given_fields, genuine in drawn:
        for browser, token in ((owner, csrf), (stranger, strange)):
            sent = {**given_fields, "csrf": token if genuine else "no"}
            page = await browser.post(f"{path}?ticket={quote(given_fields.get('ticket', ''), safe='')}", sent)
            assert page.status in MEANT, (path, sent)
            if browser is owner and SESSION not in owner.cookies:
                await owner.sign_in(password=PASSWORD)
