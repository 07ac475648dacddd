"""Attacks on passkeys whose answers are sent to several server processes at once, on both stores."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any

import httpx2
import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.authenticator import Authenticator
from tests.engines import BOTH
from tests.flows.browsing import Person
from tests.flows.passkeys import SIGN_IN, add_passkey, options_of, use_passkey
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD
from tests.races.stampede import at_once, form_of, unmarked

ENGINES = BOTH
pytestmark = [pytest.mark.anyio, pytest.mark.requirement(87)]
FEW, MANY = 6, 24


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Fleet]:
    """Two processes; the issuer has a name, so that there are passkeys."""
    with processes(tmp_path_factory.mktemp("fleet"), 2, database=database, host="localhost") as started:
        yield started
        assert [trouble for server in started.servers for trouble in server.troubles()] == []


async def owned(fleet: Fleet, email: str, **about: Any) -> Authenticator:
    """The passkey of a new person, added on their account pages."""
    phone = Authenticator(origin=fleet.issuer, **about)

    async def come(services: Services) -> None:
        await services.get(admin.people).create(os_actor(), email, password=Secret(PASSWORD))

    await asyncio.to_thread(operate, fleet.config, come)
    with Person(fleet.issuer) as owner:
        owner.sign_in(owner.open("/sign-in"), email, PASSWORD)
        add_passkey(owner, phone)
    return phone


def sessions(person: Person, answers: Sequence[httpx2.Response]) -> set[str]:
    """The sessions that the answers open."""
    return {
        line.partition(";")[0]
        for answer in answers
        for line in answer.headers.get_list("set-cookie")
        if line.startswith(person.named("session")) and "Max-Age=0" not in line
    }


@pytest.mark.parametrize("counts", [False, True])
async def test_one_assertion_sent_many_times_at_once_opens_one_session(fleet: Fleet, counts: bool) -> None:
    email = f"{'key' if counts else 'phone'}@example.com"
    phone = await owned(fleet, email, counts=counts, synced=not counts)
    with Person(fleet.issuer) as person:
        page = person.open(SIGN_IN)
        form = form_of(page, "passkey", credential=phone.get(options_of(page)))
        answers = await at_once(fleet, person, [unmarked(form)] * FEW)
        assert len(sessions(person, answers)) == 1, [answer.status_code for answer in answers]
        assert Counter(answer.status_code for answer in answers)[303] == 1
        # and never again, in a sign-in of its own neither
        again = await at_once(fleet, person, [unmarked(form)] * 2)
        assert sessions(person, again) == set()

    async def marked(services: Services) -> list[int]:
        (account,) = await services.store.accounts.find(email)
        found = await services.store.passkeys.of_account(account.id)
        return [one.suspect_at for one in found if one.suspect_at is not None]

    # the counter of an answer that is sent twice stands still: that is no copied key
    assert await asyncio.to_thread(operate, fleet.config, marked) == []
    with Person(fleet.issuer) as person:
        assert use_passkey(person, person.open(SIGN_IN), phone).path == "/account"


@pytest.mark.requirement(82)
async def test_one_answer_in_many_sign_ins_at_once_completes_one(fleet: Fleet) -> None:
    """Each sign-in is begun by a password of its own, and the answer was made before: for the page without a sign-in."""
    phone = await owned(fleet, "tabs@example.com")
    with Person(fleet.issuer) as person:
        answer = phone.get(options_of(person.open(SIGN_IN)))
        asked = [person.open(fleet.house.own.begin("openid").url) for _ in range(FEW)]
        flows = [page.forms["sign-in"].fields["flow"] for page in asked]
        steps = [person.open(f"{SIGN_IN}?flow={flow}") for flow in flows]
        bare = [unmarked(form_of(page, "passkey", credential=answer)) for page in steps]
        answers = await at_once(fleet, person, bare)
        # its challenge belongs to none of these sign-ins
        assert sessions(person, answers) == set()
        page = steps[0]
        form = unmarked(form_of(page, "passkey", credential=phone.get(options_of(page))))
        answers = await at_once(fleet, person, [form] * FEW)
        assert len(sessions(person, answers)) == 1


@pytest.mark.requirement(81, 96)
async def test_wrong_answers_at_once_are_compared_only_up_to_the_limit(fleet: Fleet) -> None:
    phone = await owned(fleet, "guessed@example.com")
    with Person(fleet.issuer) as person:
        page = person.open(SIGN_IN)
        wrong = phone.get(options_of(page), signature=b"a guess")
        guesses = [unmarked(form_of(page, "passkey", credential=wrong)) for _ in range(MANY)]
        answers = Counter(answer.status_code for answer in await at_once(fleet, person, guesses))
        assert answers[303] == 0
        assert answers[400] == 10, answers
        assert answers[429] == MANY - 10, answers


@pytest.mark.requirement(88)
async def test_one_new_passkey_sent_many_times_at_once_is_added_once(fleet: Fleet) -> None:
    phone = Authenticator(origin=fleet.issuer)
    with Person(fleet.issuer) as owner:
        owner.sign_up(owner.open("/sign-up"), "cleo@example.com", PASSWORD)
        page = owner.open("/account/methods/passkeys")
        form = form_of(page, "passkey-new", credential=phone.create(options_of(page)))
        answers = await at_once(fleet, owner, [unmarked(form)] * FEW)
        assert max(answer.status_code for answer in answers) < 500

    async def held(services: Services) -> tuple[int, int, int]:
        (account,) = await services.store.accounts.find("cleo@example.com")
        mails = [
            mail.kind for mail in await services.store.messages.recent_mail(50) if mail.to == account.email
        ]
        return (
            len(await services.store.passkeys.of_account(account.id)),
            sum(row.kind == "passkey" for row in await services.store.accounts.factors(account.id)),
            mails.count("passkey_added"),
        )

    assert await asyncio.to_thread(operate, fleet.config, held) == (1, 1, 1)
