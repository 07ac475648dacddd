"""Sign in with Apple: the answer that Apple's page posts, the name beside it, and what nobody gains by posting one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.providers.answers import LONGEST, TTL
from tests.app.test_every_post import stored
from tests.features.authn.providers.named import NamedJourney, clock, named_journey
from tests.logged import captured
from tests.stand_ins.apple import KEY_ID, TEAM, AppleStandIn, p8
from tests.stand_ins.openid import Returned

pytestmark = pytest.mark.anyio
CALLBACK = "/sign-in/provider/apple/callback"
GRACE: dict[str, Any] = {
    "sub": "000792.grace.0638",
    "email": "grace@privaterelay.appleid.com",
    "name": "Grace Hopper",
}


@pytest.fixture
async def apple(tmp_path: Path) -> AsyncGenerator[NamedJourney]:
    pem, key = p8()
    (tmp_path / "AuthKey.p8").write_text(pem)
    there = AppleStandIn(clock=clock(), client_id="com.example.web", secret="", client_key=key)
    section: dict[str, Any] = {
        "team_id": TEAM,
        "key_id": KEY_ID,
        "client_key_file": str(tmp_path / "AuthKey.p8"),
    }
    async with named_journey(tmp_path, "apple", there, email_domains=("*",), **section) as made:
        yield made


async def test_the_post_of_apples_page_signs_in(apple: NamedJourney) -> None:
    """better-auth#5243: the post comes without cookies, and has to end in a session all the same."""
    tab = apple.front.browser()
    back = apple.there.approved(await apple.leave(tab), **GRACE)
    posted = await tab.foreign_post(back.target, back.fields)
    assert (posted.status, posted.text) == (303, "")
    place = posted.header("location") or ""
    assert place.startswith(f"{CALLBACK}?answer=")
    # nothing that Apple said can be read in the address, in any encoding of it
    assert not [value for value in back.fields.values() if value in place]
    assert "Grace" not in place
    page = await tab.on(posted)
    assert page.path == "/account"
    grace = await apple.account(GRACE["email"])
    assert grace is not None
    assert grace.name == "Grace Hopper"
    assert isinstance(apple.there, AppleStandIn)
    (secret,) = apple.there.secrets
    assert secret["exp"] - secret["iat"] == 300
    # the name comes once; the account keeps it
    again = apple.front.browser()
    assert (await apple.sign_in(again, **GRACE)).path == "/account"
    kept = await apple.account(GRACE["email"])
    assert kept is not None
    assert kept.name == "Grace Hopper"


@pytest.mark.requirement(91)
async def test_an_answer_works_in_the_browser_that_asked_and_once(apple: NamedJourney) -> None:
    tab, other = apple.front.browser(), apple.front.browser()
    back = apple.there.approved(await apple.leave(tab), **GRACE)
    # somebody else's browser is made to post it: sign-in CSRF
    await other.get("/sign-in")
    page = await apple.arrive(other, back)
    assert page.path.startswith("/sign-in/provider?said=over")
    assert await apple.account(GRACE["email"]) is None
    posted = await tab.foreign_post(back.target, back.fields)
    place = posted.header("location") or ""
    # the sealed answer is worth nothing to who reads it in the address
    assert (await other.on(await other.get(place))).path.startswith("/sign-in/provider?said=over")
    assert (await tab.on(await tab.get(place))).path == "/account"
    # back button, and the form sent again
    assert (await tab.on(await tab.get(place))).path == "/account"
    assert (await apple.arrive(tab, back)).path == "/account"
    assert len(await apple.front.audited("sign_in.provider_proven")) == 1


async def test_posts_of_strangers_store_nothing_and_are_bounded(apple: NamedJourney) -> None:
    await apple.front.person()
    await apple.front.signed_in()
    before = await stored(apple.front)
    stranger = apple.front.browser()
    whatever: list[dict[str, str] | str] = [
        {},
        {"code": "c", "state": "s", "user": "{", "id_token": "x" * 2000},
        {"code": "c" * 60_000, "state": "s" * 3000},
        {"user": json.dumps({"name": {"firstName": "\U0001f600" * 1000, "lastName": ["x"]}})},
        {"user": "[" * 3000},
        {"user": '{"name":' * 400},
        {"error": "user_cancelled_authorize"},
        {"code": "é\n", "state": "\U0001f600"},
        {"answer": "a", "name": "Mallory"},
    ]
    for form in whatever:
        page = await stranger.ask("POST", CALLBACK, form=form, origin="https://evil.example")
        assert page.status == 303, form
        place = page.header("location") or ""
        assert len(place) < 8000
        assert (await stranger.on(await stranger.get(place))).path.startswith("/sign-in/provider?said=over")
    for body in ("code=1&code=2", "%ff=%fe", "code=%00"):
        page = await stranger.ask("POST", CALLBACK, form=body, origin="https://evil.example")
        assert page.status == 400
        assert "<h1" in page.text
    page = await stranger.ask("POST", CALLBACK, form={"code": "c" * 70_000}, origin="https://evil.example")
    assert page.status == 413
    page = await stranger.ask("POST", CALLBACK, body=b'{"code":1}', content_type="application/json")
    assert page.status == 400
    assert await stored(apple.front) == before
    assert await apple.front.audited("provider.refused") == []


async def test_the_longest_answer_fits_into_a_request_line(apple: NamedJourney) -> None:
    form = {"user": json.dumps({"name": {"firstName": "\U0001f600" * 120}}, ensure_ascii=False)}
    form |= {name: "x" * LONGEST[name] for name in ("code", "state", "iss", "error")}
    page = await apple.front.browser().ask("POST", CALLBACK, form=form)
    assert 4000 < len(page.header("location") or "") < 8000


async def test_an_address_that_this_server_did_not_make_is_no_answer(apple: NamedJourney) -> None:
    tab = apple.front.browser()
    url = await apple.leave(tab)
    back = apple.there.approved(url, **GRACE)
    for given in ("", "a", "aaaa", "!", "x" * 20_000, "dGVzdA"):
        page = await tab.on(await tab.get(f"{CALLBACK}?answer={given}"))
        assert page.path.startswith("/sign-in/provider?said=over"), given
    # what is in the clear is not read
    plain = Returned("GET", back.url, back.fields)
    assert (await apple.arrive(tab, plain)).path.startswith("/sign-in/provider?said=over")
    assert await apple.account(GRACE["email"]) is None


async def test_an_answer_waits_for_its_browser_for_a_while_only(apple: NamedJourney) -> None:
    tab = apple.front.browser()
    back = apple.there.approved(await apple.leave(tab), **GRACE)
    posted = await tab.foreign_post(back.target, back.fields)
    apple.front.clock.time += TTL
    assert (await tab.on(posted)).path.startswith("/sign-in/provider?said=over")


async def test_cancel_at_apple_is_no_failure(apple: NamedJourney) -> None:
    assert isinstance(apple.there, AppleStandIn)
    tab = apple.front.browser()
    page = await apple.arrive(tab, apple.there.cancelled(await apple.leave(tab)))
    assert "You didn't finish signing in there" in page.words.replace("’", "'")
    assert await apple.reasons() == []


async def test_email_verified_is_read_as_text_and_as_a_boolean(apple: NamedJourney) -> None:
    assert isinstance(apple.there, AppleStandIn)
    for as_text, verified in product((True, False), repeat=2):
        apple.there.verified_as_text = as_text
        who = {"sub": f"s-{as_text}-{verified}", "email": f"{as_text}-{verified}@example.net"}
        page = await apple.sign_in(apple.front.browser(), **who, email_verified=verified)
        assert (page.path == "/account") is verified
        assert (await apple.account(who["email"].lower()) is not None) is verified


async def test_the_address_beside_the_name_is_not_read(apple: NamedJourney) -> None:
    """`user` passes through the browser unsigned: with an address of somebody else in it, nothing follows."""
    tab = apple.front.browser()
    await apple.front.person()
    back = apple.there.approved(await apple.leave(tab), **{**GRACE, "email": None})
    named = {"name": {"firstName": "Mallory"}, "email": "ada@example.com", "email_verified": True}
    page = await apple.arrive(tab, Returned("POST", back.url, {**back.fields, "user": json.dumps(named)}))
    assert page.path.startswith("/sign-in/address?")
    assert "ada@example.com" not in page.text


async def test_neither_code_nor_name_reaches_a_log(apple: NamedJourney) -> None:
    with captured() as lines:
        tab = apple.front.browser()
        back = apple.there.approved(await apple.leave(tab), **GRACE)
        await apple.arrive(tab, back)
    said = repr(lines)
    assert back.fields["code"] not in said
    assert "Hopper" not in said
