"""Tests that an attacker elsewhere, or behind the same address, cannot lock an owner out; over HTTP, from many addresses behind
one proxy."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.browsing import Page, Person
from tests.flows.running import Running, running
from tests.flows.seeds import PASSWORD, seed

ENGINES = POSTGRES_IN_SOAK
ADA, NOBODY = "ada@example.com", "nobody@example.com"
NEW = "marble harbour tundra six"
pytestmark = pytest.mark.requirement(95)

DEFAULTS: dict[str, dict[str, Any]] = {
    "server": {"trusted_proxies": ["127.0.0.1"]},
    # the defaults: other tests use larger limits
    "throttle": {"per_address": 100, "mails_per_address": 5, "mails_per_day": 50},
}


class From(Person):
    """A browser with its own address, as the proxy reports it."""

    def __init__(self, server: Running, address: str) -> None:
        super().__init__(server.issuer)
        self.address = address

    def ask(
        self,
        method: str,
        url: str,
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """The same request, with the proxy's header."""
        return super().ask(method, url, fields, {"x-forwarded-for": self.address, **(headers or {})})

    def tries(self, email: str, password: str) -> Page:
        """One try on the sign-in page."""
        return self.sign_in(self.open("/sign-in"), email, password)

    def leaves(self) -> None:
        """Sign out; the device stays known."""
        for name in [name for name in self.cookies if "session" in name]:
            del self.cookies[name]

    def asks(self, email: str) -> Page:
        """Request a reset."""
        return self.press(self.open("/reset"), "reset", email=email)


@pytest.fixture
def server(tmp_path: Path, own_database: str | None) -> Generator[Running]:
    # the limit of 50 mails a day is real, without an hour of tests that turn the clock
    with running(tmp_path, sections=DEFAULTS, database=own_database) as opened:
        seed(opened).close()
        yield opened


def resets(person: From) -> bool:
    """Whether a complete reset leads to a session: the mail, its code, a new password, and the sign-in with it."""
    page = person.asks(ADA)
    if "check" not in page.forms:
        return False
    page = person.press(page, "check", code=person.mailed_code(ADA))
    page = person.press(page, "new-password", password=NEW)
    return person.press(page, "sign-in", identifier=ADA, password=NEW).path == "/account"


def mails(person: From) -> int:
    return sum(to == ADA for to, _, _, _ in person.mails())


def test_a_stranger_who_fills_every_counter_of_an_account_does_not_block_the_owners_reset(
    server: Running,
) -> None:
    for number in range(4):
        with From(server, f"198.51.100.{number}") as thief:
            for _ in range(5):
                assert "check" in thief.asks(ADA).forms
            assert thief.asks(ADA).status == 429
            for guess in range(3):
                thief.tries(ADA, f"not the password at all {guess}")
    with From(server, "203.0.113.7") as owner:
        # on the sign-in page the stranger's tries do use up the limit, as intended
        assert owner.tries(ADA, PASSWORD).status == 429
        assert resets(owner)


def test_the_networks_of_one_site_count_as_one_requester_and_the_owners_as_another(server: Running) -> None:
    sent = 0
    for number in range(40):
        with From(server, f"2001:db8:bad:{number:x}::1") as thief:
            sent += "check" in thief.asks(ADA).forms
    assert sent == 5
    with From(server, "2001:db8:600d:1::1") as owner:
        assert resets(owner)


@pytest.mark.requirement(93)
def test_mails_per_day_are_limited_and_then_the_page_shows_what_helps(server: Running) -> None:
    pages: list[str] = []
    # both pages name the minute from which mails are sent again
    server.clock.hold()
    for email in (ADA, NOBODY):
        sent = 0
        for number in range(12):
            with From(server, f"198.51.100.{number}") as thief:
                for _ in range(5):
                    sent += "check" in thief.asks(email).forms
        with From(server, "203.0.113.7") as late:
            for number in range(60):
                late.address = f"203.0.113.{number}"
                sent += "check" in late.asks(email).forms
            assert sent == 50
            page = late.asks(email)
            assert page.status == 429
            assert 86_000 < int(page.headers["retry-after"]) <= 86_400
            said = page.problem or ""
            for part in ("from ", " UTC", "device on which you have signed in before", "whoever runs this"):
                assert part in said, said
            pages.append(page.words.replace(email, "…").partition(" on ")[0])
    assert pages[0] == pages[1]
    with From(server, "203.0.113.200") as owner:
        assert mails(owner) == 50


def test_a_known_device_can_reset_and_sign_in_whatever_strangers_did(server: Running) -> None:
    with From(server, "203.0.113.7") as owner:
        assert owner.tries(ADA, PASSWORD).path == "/account"
        owner.leaves()
        for number in range(60):
            with From(server, f"198.51.100.{number}") as thief:
                thief.asks(ADA)
                thief.tries(ADA, "not the password at all")
        assert owner.tries(ADA, PASSWORD).path == "/account"
        owner.leaves()
        assert resets(owner)


def test_a_guesser_behind_the_same_address_does_not_block_a_known_device(server: Running) -> None:
    with From(server, "203.0.113.7") as owner, From(server, "203.0.113.7") as guesser:
        assert owner.tries(ADA, PASSWORD).path == "/account"
        owner.leaves()
        for number in range(100):
            guesser.tries(f"somebody-{number}@example.com", "not the password at all")
        assert guesser.tries("bob@example.com", PASSWORD).status == 429
        assert owner.tries(ADA, PASSWORD).path == "/account"
        owner.leaves()
        # for any other account it is an unknown device
        assert owner.tries("bob@example.com", PASSWORD).status == 429


def test_wrong_guesses_of_a_known_device_block_nobody_else_there(server: Running) -> None:
    with From(server, "203.0.113.7") as owner, From(server, "203.0.113.7") as neighbour:
        assert owner.tries(ADA, PASSWORD).path == "/account"
        owner.leaves()
        for number in range(20):
            assert owner.tries(ADA, f"not the password at all {number}").status == 400
        assert owner.tries(ADA, PASSWORD).status == 429
        for number in range(90):
            neighbour.tries(f"somebody-{number}@example.com", "not the password at all")
        assert neighbour.tries("bob@example.com", PASSWORD).path == "/account"


@pytest.mark.requirement(96)
def test_wrong_codes_from_mails_use_up_the_networks_tries(server: Running) -> None:
    statuses: list[int] = []
    with From(server, "203.0.113.7") as guesser:
        for number in range(30):
            page = guesser.asks(f"somebody-{number}@example.com")
            for guess in range(4):
                # a different code each time: the same form sent twice within seconds is one guess
                answer = guesser.press(page, "check", code=f"12345678{guess}")
                statuses.append(answer.status)
        assert statuses == [400] * 100 + [429] * 20
        assert guesser.tries(ADA, PASSWORD).status == 429
