"""Attacks on the operator's bill: messages to numbers that earn money for their owner, from many accounts, networks and numbers."""

from __future__ import annotations

import pytest

from tests.features import made
from tests.features.authn.factors.sms.phones import NUMBER, PHONE, Phoned, phoned
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(93)]


async def robber(server: Phoned, number: int) -> Tab:
    """A browser of the attacker, in a network of its own, signed in to an account of its own."""
    front = server.front
    account = made.account(id=f"usr_robber{number}", email=f"robber{number}@example.com")
    assert await front.store.commit(front.store.accounts.insert(account))
    secret = f"{number:043d}"
    await front.session(account, secret, auth_time=front.now, created_at=front.now, seen_at=front.now)
    tab = front.browser(f"198.{18 + number // 250}.{number % 250}.1")
    tab.cookies[front.jar.name("session")] = secret
    return tab


async def ask(tab: Tab, number: str) -> int:
    """Ask for a code to a number; 303 if one was sent."""
    page = await tab.get(PHONE)
    assert page.status == 200, page.words
    return (await tab.submit(page, "phone", number=number)).status


async def messages(server: Phoned) -> int:
    await server.deliver()
    return len(server.gateway.taken)


async def test_a_range_of_numbers_gets_few_messages() -> None:
    async with phoned(limits={"per_prefix_hour": 8}) as server:
        answers = [await ask(await robber(server, at), f"+49171234{at:04d}") for at in range(16)]
        assert answers.count(303) == 8
        assert answers[8:] == [429] * 8
        assert await messages(server) == 8
        # another range is not affected
        assert await ask(await robber(server, 99), "+491601234567") == 303


async def test_a_country_whose_messages_nobody_reads_is_paused() -> None:
    async with phoned() as server:
        ranges = ("151", "152", "157", "159", "160", "162", "163", "170", "171", "172", "173", "174")
        numbers = [f"+49{code}{at}345678" for code in ranges for at in (2, 3, 4)]
        answers = [await ask(await robber(server, at), number) for at, number in enumerate(numbers)]
        assert answers.count(303) == 20
        assert await messages(server) == 20
        (event,) = await server.front.audited("sms.country_paused")
        assert event.detail == {"country": "DE"}
        # people who have proven their number still get a code
        await server.enrolled(await server.front.person())
        tab = server.front.browser("203.0.113.9")
        await tab.on(await tab.sign_in())
        assert await messages(server) == 21


async def test_an_enrolment_begun_again_and_again_sends_few_messages() -> None:
    async with phoned() as server:
        tab = await robber(server, 1)
        sent = 0
        for at in range(30):
            sent += await ask(tab, f"+4917{at % 10}{at:02d}45678") == 303
            await server.deliver()
            await server.deliver()
        server.front.clock.time += 10
        assert sent <= 5
        assert await messages(server) == sent


async def test_one_number_is_not_bombed_by_many_accounts() -> None:
    async with phoned() as server:
        answers = [await ask(await robber(server, at), NUMBER) for at in range(8)]
        assert answers.count(303) == 3
        assert await messages(server) == 3


@pytest.mark.parametrize(
    "number",
    [
        "+49 900 1 234567",
        "+49 180 1 234567",
        "+44 70 1234 5678",
        "+44 909 879 1234",
        "+44 7781 123456",
        "+881 6 1234 5678",
        "+1 900 234 5678",
        "+252 61 2345678",
    ],
)
async def test_numbers_that_earn_money_get_no_message(number: str) -> None:
    async with phoned() as server:
        assert await ask(await robber(server, 1), number) == 400
        assert await messages(server) == 0


async def test_who_knows_a_password_cannot_send_many_messages() -> None:
    async with phoned() as server:
        front = server.front
        await server.enrolled(await front.person())
        for at in range(8):
            tab = front.browser(f"198.51.100.{at}")
            page = await tab.on(await tab.sign_in())
            assert page.status == 200, page.words
            front.clock.time += 61
        assert await messages(server) == 3
        for at in range(40):
            front.clock.time += 1000
            tab = front.browser(f"198.51.101.{at}")
            await tab.on(await tab.sign_in())
        assert await messages(server) <= 10


async def test_without_a_first_factor_no_message_is_sent() -> None:
    async with phoned() as server:
        front = server.front
        await server.enrolled(await front.person())
        tab = front.browser()
        page = await tab.get("/sign-in")
        wrong = await tab.submit(page, "sign-in", identifier="ada@example.com", password="not my password")
        flow = wrong.forms["sign-in"].fields.get("flow", "")
        form = {**wrong.forms["sign-in"].fields, "kind": "sms", "to": "", "flow": flow, "number": NUMBER}
        for path in (
            "/sign-in/code/send",
            "/sign-in/code/send?kind=sms",
            "/sign-in/enrol/phone",
            "/sign-in/enrol/phone/code",
            PHONE,
        ):
            await tab.post(path, form)
        # a GET sends nothing, whoever asks
        for path in ("/sign-in/code/send?kind=sms", f"/sign-in/code?method=sms&flow={flow}", PHONE):
            await tab.get(path)
        assert await messages(server) == 0
