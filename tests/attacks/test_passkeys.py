"""Attacks on passkeys: replay, foreign origins and frames, challenges of others, and an account by another's passkey (WebAuthn Level 3
§13.4; R87, R88)."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from doorward.core.model.account import Account
from tests.browsing import Page
from tests.features.authn.factors.passkeys.served import enrol, options_on, use
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(87)]
PAGE = "/sign-in/passkey"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        yield opened


async def ada(front: Front) -> Account:
    account = await front.store.accounts.by_email("ada@example.com")
    assert account is not None
    return account


async def signed_in(tab: Tab) -> bool:
    return (await tab.get("/account")).status == 200


def refused(page: Page) -> bool:
    return page.status in {400, 403, 429} and page.header("location") is None


async def test_a_caught_assertion_is_of_no_use_a_second_time(front: Front) -> None:
    phone = await enrol(front, await ada(front))
    tab = front.browser()
    page = await tab.get(PAGE)
    answer = phone.get(options_on(page))
    assert not refused(await tab.submit(page, "passkey", credential=answer))
    # whoever has taken the answer and all cookies of the browser, but not its session
    thief = front.browser()
    thief.cookies = {name: value for name, value in tab.cookies.items() if "session" not in name}
    again = await thief.get(PAGE)
    assert refused(await thief.submit(again, "passkey", credential=answer))
    assert not await signed_in(thief)


async def test_an_assertion_for_another_browser_is_refused(front: Front) -> None:
    phone = await enrol(front, await ada(front))
    victim, thief = front.browser(), front.browser()
    asked = options_on(await victim.get(PAGE))
    page = await thief.get(PAGE)
    assert refused(await thief.submit(page, "passkey", credential=phone.get(asked)))
    # the other way round: the victim is made to answer the attacker's challenge
    page = await victim.get(PAGE)
    answer = phone.get(options_on(await thief.get(PAGE)))
    assert refused(await victim.submit(page, "passkey", credential=answer))
    assert not await signed_in(victim)
    assert not await signed_in(thief)


@pytest.mark.parametrize(
    "origin",
    [
        "https://auth.example.com.evil.test",
        "https://evil.test",
        "http://auth.example.com",
        "https://auth.example.com:8443",
        "https://login.auth.example.com",
        "https://AUTH.example.com",
        "null",
    ],
)
async def test_an_assertion_that_was_made_on_another_origin_is_refused(front: Front, origin: str) -> None:
    phone = await enrol(front, await ada(front))
    phone.origin = origin
    tab = front.browser()
    assert refused(await use(tab, await tab.get(PAGE), phone))
    assert not await signed_in(tab)


@pytest.mark.parametrize(
    "extra",
    [
        {"crossOrigin": True},
        {"crossOrigin": True, "topOrigin": "https://evil.test"},
        {"topOrigin": "https://evil.test"},
        {"crossOrigin": True, "topOrigin": "https://auth.example.com"},
        {"type": "webauthn.create"},
        {"type": "payment.get"},
    ],
)
async def test_an_assertion_from_a_frame_or_of_another_kind_is_refused(
    front: Front, extra: dict[str, object]
) -> None:
    phone = await enrol(front, await ada(front))
    phone.extra = extra
    tab = front.browser()
    assert refused(await use(tab, await tab.get(PAGE), phone))
    assert not await signed_in(tab)


async def test_a_challenge_for_a_new_passkey_signs_nobody_in(front: Front) -> None:
    account = await ada(front)
    phone = await enrol(front, account)
    tab = front.browser()
    await use(tab, await tab.get(PAGE), phone)
    made = options_on(await tab.get("/account/methods/passkeys"))
    thief = front.browser()
    thief.cookies = {name: value for name, value in tab.cookies.items() if "session" not in name}
    page = await thief.get(PAGE)
    asked = options_on(page) | {"challenge": made["challenge"]}
    assert refused(await thief.submit(page, "passkey", credential=phone.get(asked)))


@pytest.mark.requirement(88)
async def test_somebody_elses_passkey_does_not_complete_a_stolen_password(front: Front) -> None:
    victim = await ada(front)
    await enrol(front, victim, second=True, synced=False, transports=("usb",))
    attacker = Account(id="usr_eve", email="eve@example.com", created_at=front.now)
    assert await front.store.commit(front.store.accounts.insert(attacker))
    own = await enrol(front, attacker, second=True, synced=False, transports=("usb",))
    tab = front.browser()
    page = await tab.follow(await tab.sign_in())
    assert page.path.startswith(PAGE)
    asked = options_on(page) | {"allowCredentials": []}
    own.verified = False
    assert refused(await tab.submit(page, "passkey", credential=own.get(asked)))
    # with the victim's name in the answer
    answer = own.get(asked, userHandle=victim.id.encode())
    assert refused(await tab.submit(page, "passkey", credential=answer))
    own.verified = True
    page = await tab.submit(page, "passkey", credential=own.get(asked))
    for session in await front.store.sessions.live_of(victim.id, front.now):
        raise AssertionError(session)


@pytest.mark.requirement(88)
async def test_the_sign_in_page_does_not_say_whose_passkeys_there_are(front: Front) -> None:
    await enrol(front, await ada(front))
    tab = front.browser()
    for email in ("ada@example.com", "nobody@example.com"):
        page = await tab.get("/sign-in")
        page = await tab.submit(page, "sign-in", identifier=email, password="wrong password here")
        assert options_on(page)["allowCredentials"] == []


async def test_guesses_do_not_lock_the_owner_out_on_a_known_device(front: Front) -> None:
    phone = await enrol(front, await ada(front))
    owner = front.browser()
    assert not refused(await use(owner, await owner.get(PAGE), phone))
    await owner.post("/logout", {})
    attacker = front.browser("198.51.100.7")
    page = await attacker.get(PAGE)
    for _ in range(300):
        page = await use(attacker, await attacker.get(PAGE), phone, signature=b"guess")
    assert page.status == 429
    known = front.browser()
    known.cookies = {name: value for name, value in owner.cookies.items() if "session" not in name}
    assert not refused(await use(known, await known.get(PAGE), phone))
