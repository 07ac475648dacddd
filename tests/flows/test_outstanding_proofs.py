"""Tests that a proof from an earlier state of an account no longer opens it; over two processes on one database."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import httpx2
import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.browsing import Page, Person
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD

ENGINES = BOTH
ADA = "ada@example.com"
OWNERS, THIEFS = "marble harbour tundra six", "copper lantern meadow two"
pytestmark = pytest.mark.requirement(94)


class Through(Person):
    """A browser whose requests go to one of several processes behind one issuer."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        super().__init__(fleet.issuer)
        self._base = fleet.servers[number].base

    def ask(
        self,
        method: str,
        url: str,
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """The same request, at that process."""
        path = url.removeprefix(self.issuer)
        sent = {
            "user-agent": self.agent,
            "cookie": "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items()),
        }
        if method == "POST":
            sent |= {"origin": self.issuer, "sec-fetch-site": "same-origin"}
        answer = self._client.request(method, self._base + path, headers=sent | (headers or {}), data=fields)
        for line in answer.headers.get_list("set-cookie"):
            self._keep(line, self.issuer + path)
        return answer


@pytest.fixture
def fleet(tmp_path: Path, own_database: str | None) -> Generator[Fleet]:
    with processes(tmp_path, 2, database=own_database) as opened:
        yield opened
        for server in opened.servers:
            assert server.unforeseen() == []


@pytest.fixture
def people(fleet: Fleet) -> Generator[tuple[Through, Through]]:
    """The owner at the first process, an attacker who reads the owner's mail at the second."""
    owner, thief = Through(fleet, 0), Through(fleet, 1)
    with owner, thief:
        yield owner, thief


def asked(person: Person) -> tuple[Page, str]:
    """The page that waits for the code, and the code."""
    page = person.press(person.open("/reset"), "reset", email=ADA)
    assert "check" in page.forms, page.words
    return page, person.mailed_code(ADA)


def proven(person: Person) -> Page:
    """The form for the new password."""
    page, code = asked(person)
    page = person.press(page, "check", code=code)
    assert "new-password" in page.forms, page.words
    return page


def opens(fleet: Fleet, password: str) -> bool:
    """Whether a sign-in with it works in a new browser."""
    with Person(fleet.issuer) as visitor:
        return visitor.sign_in(visitor.open("/sign-in"), ADA, password).path == "/account"


def test_a_second_reset_does_not_give_the_account_to_the_attacker_again(
    fleet: Fleet, people: tuple[Through, Through]
) -> None:
    owner, thief = people
    open_form = proven(thief)
    with Through(fleet, 1) as other:
        waiting, code = asked(other)
        done = owner.press(proven(owner), "new-password", password=OWNERS)
        assert "sign-in" in done.forms, done.words
        # the open form, and the code that was not used yet
        assert "reset" in thief.press(open_form, "new-password", password=THIEFS).forms
        assert "new-password" not in other.press(waiting, "check", code=code).forms
    assert opens(fleet, OWNERS)
    assert not opens(fleet, THIEFS)


def test_a_changed_password_ends_open_resets(fleet: Fleet, people: tuple[Through, Through]) -> None:
    owner, thief = people
    assert owner.sign_in(owner.open("/sign-in"), ADA, PASSWORD).path == "/account"
    open_form = proven(thief)
    page = owner.open("/account/methods")
    owner.press(page, "password-change", current=PASSWORD, new=OWNERS)
    assert "reset" in thief.press(open_form, "new-password", password=THIEFS).forms
    assert opens(fleet, OWNERS)
    assert not opens(fleet, THIEFS)


def test_an_account_disabled_and_enabled_again_accepts_no_earlier_proof(
    fleet: Fleet, people: tuple[Through, Through]
) -> None:
    _, thief = people
    open_form = proven(thief)

    async def closed_and_opened(services: Services) -> None:
        await services.get(admin.people).disable(os_actor(), ADA)
        await services.get(admin.people).enable(os_actor(), ADA)

    operate(fleet.config, closed_and_opened)
    assert "reset" in thief.press(open_form, "new-password", password=THIEFS).forms
    assert opens(fleet, PASSWORD)
