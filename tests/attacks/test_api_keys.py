"""Attacks with API keys: in an address, as another person, after the owner is gone, by guessing, and as a way into the account."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

import pytest

from doorward.core.model.caller import Caller
from doorward.features.api_keys.build import own_keys, verification
from doorward.features.api_keys.making import NewApiKey
from doorward.features.api_keys.rules.draft import Draft
from doorward.features.api_keys.rules.key_format import PATTERN, write
from tests.features import made
from tests.features.api_keys.keyring import draft
from tests.front_channel import Front, front_channel
from tests.people import CALLER
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
GRANT = "urn:doorward:grant-type:api-key"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        yield opened


async def key_of_ada(front: Front, asked: Draft | None = None) -> NewApiKey:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    new = await front.services.get(own_keys).create(ada, asked or draft(), caller=CALLER, now=front.now)
    assert isinstance(new, NewApiKey)
    return new


async def ask(tab: Tab, key: str, **headers: str) -> tuple[int, str]:
    page = await tab.ask("POST", "/token", form={"grant_type": GRANT, "api_key": key}, **headers)
    return page.status, page.text


async def test_a_key_in_an_address_is_not_used(front: Front) -> None:
    """Addresses are logged by proxies, kept in histories and sent as referrers."""
    key, tab = (await key_of_ada(front)).text.reveal(), front.browser()
    page = await tab.ask("POST", f"/token?grant_type={GRANT}&api_key={key}", form={})
    assert page.status == 400
    page = await tab.ask("POST", f"/token?api_key={key}", form={"grant_type": GRANT})
    assert "api_key is missing" in page.text


@pytest.mark.requirement(93)
async def test_no_field_of_a_request_names_another_owner(front: Front) -> None:
    """CVE-2025-61928: a field with the id of a user made a key for that user, without a session."""
    await front.person(id="usr_bob", email="bob@example.com")
    tab = front.browser()
    await tab.sign_in()
    page = await tab.get("/account/api-keys/new")
    fields = {"name": "x", "days": "30", "may:orders:read": "1"}
    foreign = dict.fromkeys(("account_id", "userId", "user", "owner", "sub", "client_id"), "usr_bob")
    shown = await tab.submit(page, "new-key", **fields, **foreign)
    assert re.search(PATTERN, shown.text)
    assert [key.account_id for key in await front.store.api_keys.page()] == ["usr_ada"]
    (key,) = await front.store.api_keys.page()
    bob = front.browser()
    await bob.sign_in("bob@example.com")
    listed = await bob.get("/account/api-keys")
    assert key.id not in listed.text
    # Bob's own form, with the id of Ada's key in it
    await bob.submit(await bob.get("/account/api-keys/new"), "new-key", **fields)
    page = await bob.get("/account/api-keys")
    await bob.submit(page, "end-1", key=key.id)
    assert (await bob.get(f"/account/api-keys/renew?key={key.id}")).status == 303
    found = await front.store.api_keys.get(key.id)
    assert found is not None
    assert found[0].ended_at is None
    assert (await front.browser().get("/account/api-keys/new")).status == 303, "nobody is signed in"


async def test_a_key_opens_no_session_and_no_page(front: Front) -> None:
    """better-auth#5064: a session was made for whoever sent a key, with all the rights of a person."""
    key, tab = (await key_of_ada(front)).text.reveal(), front.browser()
    _, answer = await ask(tab, key)
    token = answer.partition('"access_token":"')[2].partition('"')[0]
    assert token
    for secret in (key, token):
        for path in ("/account", "/account/api-keys/new", "/account/methods"):
            page = await tab.ask("GET", path, authorization=f"Bearer {secret}")
            assert page.status == 303
            assert "/sign-in" in (page.header("location") or "")
        answer = await tab.ask("GET", "/userinfo", authorization=f"Bearer {secret}")
        assert answer.status in {401, 403}
    assert await front.store.sessions.live_of("usr_ada", front.now) == []
    for field in ("refresh_token", "id_token"):
        assert field not in answer.text


async def test_a_key_ends_with_its_owner(front: Front) -> None:
    key, tab = await key_of_ada(front), front.browser()
    assert (await ask(tab, key.text.reveal()))[0] == 200
    assert await front.store.commit(front.store.delete_account("usr_ada"))
    assert (await ask(tab, key.text.reveal()))[0] == 400
    assert await front.store.api_keys.get(key.key.id) is None


@pytest.mark.requirement(96)
async def test_guesses_are_counted_for_the_key_and_the_network_and_never_lock_the_owner_out(
    front: Front,
) -> None:
    key = await key_of_ada(front)
    limit = front.services.throttle.per_address
    for number in range(limit):
        guess = write(key.key.id, number.to_bytes(32))
        status, _ = await ask(front.browser(f"198.51.100.{number % 250}"), guess)
        assert status == 400
    # from yet another address: the key's own counter is full
    status, said = await ask(front.browser("203.0.113.1"), write(key.key.id, b"x" * 32))
    assert status == 429
    assert "Too many" in said
    # the same address at keys that do not exist
    for number in range(limit):
        await ask(front.browser("203.0.113.9"), write(f"key_{number:032x}", b"x" * 32))
    assert (await ask(front.browser("203.0.113.9"), "dwk_"))[0] == 429
    # the right key works from everywhere, also there (R95)
    for address in ("203.0.113.9", "192.0.2.1"):
        assert (await ask(front.browser(address), key.text.reveal()))[0] == 200
    assert 0 < len(await front.audited("api_key.refused")) <= 30


@pytest.mark.requirement(96)
async def test_invented_keys_push_no_counter_out(front: Front) -> None:
    """The counters are bounded in memory; whoever invents ids must not be able to empty them."""
    keys = front.services.get(verification)
    before = len(keys.failures.counter)
    for number in range(50):
        caller = Caller("198.51.100.7")
        text = write(f"key_{number:032x}", b"x" * 32)
        await keys.verify(text, address="", caller=caller, audiences=None, now=front.now)
    assert len(keys.failures.counter) == before + 1


@pytest.mark.requirement(96)
async def test_a_wrong_key_costs_no_write_beyond_the_lines_of_the_audit_log(front: Front) -> None:
    """Whoever can make a server write with every request can fill its disk."""
    keys = front.services.get(verification)
    for number in range(200):
        caller = Caller(f"198.51.100.{number}")
        await keys.verify(
            write(f"key_{number:032x}", b"x" * 32),
            address=caller.address,
            caller=caller,
            audiences=None,
            now=front.now,
        )
    assert len(await front.audited("api_key.refused")) <= 30


async def test_a_token_of_a_key_is_for_its_api_alone(front: Front) -> None:
    """R67: a key for one API must not open another one by way of the token endpoint."""
    key, tab = (await key_of_ada(front)).text.reveal(), front.browser()
    for form in (
        {"resource": made.ISSUER},
        {"resource": "https://other.example"},
        {"audience": "https://other.example", "scope": "openid"},
        {"scope": "orders:read offline_access"},
    ):
        page = await tab.ask("POST", "/token", form={"grant_type": GRANT, "api_key": key, **form})
        assert page.status == 400, form
        assert "access_token" not in page.text
