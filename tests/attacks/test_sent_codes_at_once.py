"""Attacks on codes by mail that are sent to several server processes at once, on both stores."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator

import pytest

from doorward.core.model.account import EnrolledFactor
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.browsing import Page, Person
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD
from tests.races.stampede import at_once, form_of

ENGINES = BOTH
pytestmark = pytest.mark.anyio
MANY = 24


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Fleet]:
    """Two processes; Ada and Bob get a code by mail at every sign-in."""
    with processes(tmp_path_factory.mktemp("fleet"), 2, database=database) as started:

        async def enrol(services: Services) -> None:
            for email in ("ada@example.com", "bob@example.com"):
                (account,) = await services.store.accounts.find(email)
                factor = EnrolledFactor(services.random.new_id("fac"), account.id, "email_code", 1)
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
async def test_one_code_sent_many_times_at_once_opens_one_session(fleet: Fleet) -> None:
    person = Person(fleet.issuer)
    page = at_the_code(person, "ada@example.com")
    code = person.mailed_code("ada@example.com")
    form = form_of(page, "second-factor", code=code)
    # without the mark of the form, by which the server answers a double click once
    answers = await at_once(fleet, person, [_unmarked(form)] * 4)
    sessions = {
        line.partition(";")[0]
        for answer in answers
        for line in answer.headers.get_list("set-cookie")
        if line.startswith(person.named("session")) and "Max-Age=0" not in line
    }
    assert len(sessions) == 1, [answer.status_code for answer in answers]
    # and never again, in another sign-in neither
    other = Person(fleet.issuer)
    waiting = at_the_code(other, "ada@example.com")
    again = other.press(waiting, "second-factor", code=code)
    assert again.path != "/account"


@pytest.mark.requirement(81, 82)
async def test_guesses_at_once_are_compared_only_up_to_the_limit(fleet: Fleet) -> None:
    person = Person(fleet.issuer)
    page = at_the_code(person, "bob@example.com")
    code = person.mailed_code("bob@example.com")
    guesses = [
        _unmarked(form_of(page, "second-factor", code=f"{(int(code) + 1 + number) % 1_000_000:06d}"))
        for number in range(MANY)
    ]
    answers = Counter(answer.status_code for answer in await at_once(fleet, person, guesses))
    assert answers[400] <= rule.TRIES, answers
    assert answers[303] == 0, answers
    assert person.press(page, "second-factor", code=code).path != "/account"


@pytest.mark.requirement(83)
async def test_codes_asked_for_at_once_are_one_mail(fleet: Fleet) -> None:
    person = Person(fleet.issuer)
    page = at_the_code(person, "bob@example.com")
    fields = {name: value for name, value in page.forms["second-factor"].fields.items() if name != "once"}
    wanted = [("POST", "/sign-in/code/send", {**fields, "kind": "email_code"})] * MANY

    async def sent(services: Services) -> int:
        (account,) = await services.store.accounts.find("bob@example.com")
        return len(await services.store.sent_codes.of_account(account.id))

    before = await asyncio.to_thread(operate, fleet.config, sent)
    answers = Counter(answer.status_code for answer in await at_once(fleet, person, wanted))
    assert answers[429] == MANY, answers
    assert await asyncio.to_thread(operate, fleet.config, sent) == before


def _unmarked(
    form: tuple[str, str, dict[str, str] | None],
) -> tuple[str, str, dict[str, str] | None]:
    method, path, fields = form
    return method, path, {name: value for name, value in (fields or {}).items() if name != "once"}
