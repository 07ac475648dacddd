"""Attacks on codes by mail and text message that are sent to several server processes at once, on both stores."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.account import EnrolledFactor
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.authn.factors.sms.delivery import PHONE_PURPOSE
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.browsing import Page, Person
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD
from tests.races.stampede import at_once, form_of, unmarked

ENGINES = BOTH
pytestmark = pytest.mark.anyio
MANY = 24
SECTIONS: dict[str, dict[str, Any]] = {
    "second_factor": {"kinds": ["passkey", "totp", "email_code", "sms"]},
    # without a gateway the messages stay in the development outbox
    "sms": {"channel": "webhook", "countries": ["DE"]},
}
CLEO, DAN = "+491712345678", "+491601234567"
PHONES = {"cleo@example.com": CLEO, "dan@example.com": DAN}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Fleet]:
    """Two processes; Ada and Bob get a code by mail at every sign-in, Cleo and Dan by text message."""
    folder = tmp_path_factory.mktemp("fleet")
    with processes(folder, 2, database=database, sections=SECTIONS) as started:

        async def enrol(services: Services) -> None:
            for email in ("ada@example.com", "bob@example.com"):
                (account,) = await services.store.accounts.find(email)
                factor = EnrolledFactor(services.random.new_id("fac"), account.id, "email_code", 1)
                assert await services.store.commit(services.store.accounts.add_factor(factor))
            for email, number in PHONES.items():
                account = await services.get(admin.people).create(
                    os_actor(), email, password=Secret(PASSWORD)
                )
                factor_id = services.random.new_id("fac")
                sealed = services.sealer.seal(PHONE_PURPOSE, factor_id, number.encode())
                factor = EnrolledFactor(factor_id, account.id, "sms", 1, sealed)
                assert await services.store.commit(services.store.accounts.add_factor(factor))

        operate(started.config, enrol)
        yield started
        assert [trouble for server in started.servers for trouble in server.troubles()] == []


def at_the_code(person: Person, email: str) -> Page:
    """The page after the right password; a code was sent."""
    page = person.sign_in(person.open("/sign-in"), email, PASSWORD)
    assert "second-factor" in page.forms, page.words
    return page


@pytest.mark.requirement(82)
@pytest.mark.parametrize(
    ("email", "to"), [("ada@example.com", "ada@example.com"), ("cleo@example.com", CLEO)]
)
async def test_one_code_sent_many_times_at_once_opens_one_session(fleet: Fleet, email: str, to: str) -> None:
    person = Person(fleet.issuer)
    page = at_the_code(person, email)
    code = person.mailed_code(to)
    form = form_of(page, "second-factor", code=code)
    answers = await at_once(fleet, person, [unmarked(form)] * 4)
    sessions = {
        line.partition(";")[0]
        for answer in answers
        for line in answer.headers.get_list("set-cookie")
        if line.startswith(person.named("session")) and "Max-Age=0" not in line
    }
    assert len(sessions) == 1, [answer.status_code for answer in answers]
    # and never again, in another sign-in neither
    other = Person(fleet.issuer)
    waiting = at_the_code(other, email)
    again = other.press(waiting, "second-factor", code=code)
    assert again.path != "/account"


@pytest.mark.requirement(81, 82)
@pytest.mark.parametrize(("email", "to"), [("bob@example.com", "bob@example.com"), ("dan@example.com", DAN)])
async def test_guesses_at_once_are_compared_only_up_to_the_limit(fleet: Fleet, email: str, to: str) -> None:
    person = Person(fleet.issuer)
    page = at_the_code(person, email)
    code = person.mailed_code(to)
    guesses = [
        unmarked(form_of(page, "second-factor", code=f"{(int(code) + 1 + number) % 1_000_000:06d}"))
        for number in range(MANY)
    ]
    answers = Counter(answer.status_code for answer in await at_once(fleet, person, guesses))
    assert answers[400] <= rule.TRIES, answers
    assert answers[303] == 0, answers
    assert person.press(page, "second-factor", code=code).path != "/account"


@pytest.mark.requirement(83)
@pytest.mark.parametrize(("email", "kind"), [("bob@example.com", "email_code"), ("dan@example.com", "sms")])
async def test_codes_asked_for_at_once_are_one_message(fleet: Fleet, email: str, kind: str) -> None:
    person = Person(fleet.issuer)
    page = at_the_code(person, email)
    fields = {name: value for name, value in page.forms["second-factor"].fields.items() if name != "once"}
    wanted = [("POST", "/sign-in/code/send", {**fields, "kind": kind})] * MANY

    async def sent(services: Services) -> int:
        (account,) = await services.store.accounts.find(email)
        return len(await services.store.sent_codes.of_account(account.id))

    before = await asyncio.to_thread(operate, fleet.config, sent)
    answers = Counter(answer.status_code for answer in await at_once(fleet, person, wanted))
    assert answers[429] == MANY, answers
    assert await asyncio.to_thread(operate, fleet.config, sent) == before
