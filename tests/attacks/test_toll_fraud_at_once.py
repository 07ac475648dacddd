"""Attacks on the operator's bill over two server processes at once: the limits of text messages hold for all nodes together (R82, R93)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.session import Session
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.browsing import Cookie, Person
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.races.stampede import at_once, form_of, unmarked

ENGINES = BOTH
pytestmark = [pytest.mark.anyio, pytest.mark.requirement(82, 93)]
PHONE = "/account/methods/phone"
ROBBERS = 16
COUNTRY, PREFIX = 10, 6
SECTIONS: dict[str, dict[str, Any]] = {
    "second_factor": {"kinds": ["passkey", "totp", "sms"]},
    # without a gateway the messages stay in the development outbox
    "sms": {
        "channel": "webhook",
        "countries": ["DE", "GB", "FR"],
        "per_country_hour": COUNTRY,
        "per_prefix_hour": PREFIX,
    },
    # each robber comes from a network of their own
    "server": {"trusted_proxies": ["127.0.0.1"]},
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Fleet]:
    """Two processes, and sixteen people who are signed in in four browsers each."""
    folder = tmp_path_factory.mktemp("fleet")
    with processes(folder, 2, database=database, sections=SECTIONS) as started:

        async def come(services: Services) -> None:
            store, now = services.store, services.clock.now()
            for number in range(ROBBERS):
                account = Account(
                    id=f"usr_robber{number}", email=f"robber{number}@example.com", created_at=now
                )
                assert await store.commit(store.accounts.insert(account))
                for nth in range(4):
                    session = Session(
                        id=f"ses_robber{number}{nth}",
                        secret_hash=digest(secret_of(number, nth)),
                        account_id=account.id,
                        created_at=now,
                        seen_at=now,
                        auth_time=now,
                        expires_at=now + 86_400,
                        acr="urn:doorward:aal1",
                        amr=("pwd",),
                        user_agent="",
                        address="127.0.0.1",
                    )
                    assert await store.commit(store.sessions.insert(session))

        operate(started.config, come)
        yield started
        assert [trouble for server in started.servers for trouble in server.troubles()] == []


def secret_of(robber: int, nth: int) -> str:
    return f"{robber:03d}{nth:040d}"


async def asked(fleet: Fleet, wanted: Sequence[tuple[int, int, str]]) -> Counter[int]:
    """The statuses of simultaneous requests for a code: robber, which of their sessions, number. 303: a message was written."""
    people = [Person(fleet.issuer) for _ in wanted]
    forms = []
    for person, (robber, nth, number) in zip(people, wanted, strict=True):
        person.cookies[person.named("session")] = Cookie(secret_of(robber, nth), {}, "")
        page = await asyncio.to_thread(person.open, PHONE)
        forms.append(unmarked(form_of(page, "phone", number=number)))
    answers = await asyncio.gather(
        *(
            at_once(fleet, person, [form], first=at, x_forwarded_for=f"198.51.{robber}.1")
            for at, (person, form, (robber, _, _)) in enumerate(zip(people, forms, wanted, strict=True))
        )
    )
    for person in people:
        person.close()
    return Counter(answer.status_code for (answer,) in answers)


async def written(fleet: Fleet, country: str) -> int:
    """Messages to numbers of a country."""

    async def count(services: Services) -> int:
        return sum(one.country == country for one in await services.store.outgoing_sms.recent(1000))

    return await asyncio.to_thread(operate, fleet.config, count)


async def test_one_number_gets_three_messages_whoever_asks_and_wherever(fleet: Fleet) -> None:
    wanted = [(robber, 0, "+447400123456") for robber in range(8)]
    assert await asked(fleet, wanted) == {303: 3, 429: 5}
    assert await written(fleet, "GB") == 3


async def test_one_account_gets_three_at_a_time_over_all_its_sessions(fleet: Fleet) -> None:
    # four sessions of one account, each with two numbers, spread over the ranges of a country
    numbers = [
        "612345678",
        "622345678",
        "632345678",
        "642345678",
        "652345678",
        "662345678",
        "672345678",
        "682345678",
    ]
    wanted = [(15, at % 4, f"+33{number}") for at, number in enumerate(numbers)]
    assert await asked(fleet, wanted) == {303: 3, 429: 5}
    assert await written(fleet, "FR") == 3


async def test_a_range_of_numbers_and_a_country_have_their_share_and_no_more(fleet: Fleet) -> None:
    in_range = [(robber, 1, f"+49171234{robber:04d}") for robber in range(ROBBERS - 1)]
    assert await asked(fleet, in_range) == {303: PREFIX, 429: len(in_range) - PREFIX}
    elsewhere = ["160", "162", "163", "170", "172", "173", "174", "175", "176", "177", "178", "179"]
    spread = [(robber, 2, f"+49{code}2345678") for robber, code in enumerate(elsewhere)]
    assert await asked(fleet, spread) == {303: COUNTRY - PREFIX, 429: len(spread) - COUNTRY + PREFIX}
    assert await written(fleet, "DE") == COUNTRY
