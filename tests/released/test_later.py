"""Tests of released data opened some minutes later: reuse of refresh tokens, waiting mails, and expired values."""

from __future__ import annotations

from collections.abc import Generator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests import ports
from tests.engines import POSTGRES_IN_SOAK, Engine
from tests.flows.apps import Attempt, good, refused
from tests.released.held import Held, opened
from tests.waiting import until

ENGINES = POSTGRES_IN_SOAK
# longer than any leeway, shorter than the lifetime of a sign-in
LATER = 300


class Inbox:
    """Received mails: recipients and contents."""

    def __init__(self) -> None:
        self.mails: dict[str, str] = {}

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        body = message_from_bytes(envelope.content, policy=policy.default).get_body(("plain",))
        assert body is not None
        plain = body.get_content()
        for address in envelope.rcpt_tos:
            # codes are printed in groups, with non-breaking spaces
            text = plain.replace("\u00a0", "")
            self.mails[address] = self.mails.get(address, "") + text
        return "250 OK"


@pytest.fixture(scope="module")
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(scope="module")
def held(
    tmp_path_factory: pytest.TempPathFactory, engine: Engine, database: str | None, inbox: Inbox
) -> Generator[Held]:
    """With a mail server, which was unavailable when the data was written."""
    listening = Controller(inbox, hostname="127.0.0.1", port=ports.free_port())
    listening.start()
    mail = {"host": "127.0.0.1", "port": listening.port, "tls": "none", "sender": "auth@example.com"}
    folder: Path = tmp_path_factory.mktemp("later")
    try:
        with opened(engine, folder, database, later=LATER, mail=mail) as old:
            yield old
    finally:
        listening.stop()
        inbox.mails.clear()


def test_waiting_mails_are_delivered(held: Held, inbox: Inbox) -> None:
    code = held["codes"]["reset_code"]
    until(lambda: code in inbox.mails.get("olga@example.com", ""), lambda: sorted(inbox.mails))


@pytest.mark.parametrize(("name", "app"), [("older", "own"), ("older_public", "spa")])
def test_a_refresh_token_from_before_the_last_one_ends_its_family(held: Held, name: str, app: str) -> None:
    first, second, third = held[name]
    client = held.app(app)
    refused(client.refresh(first))
    refused(client.refresh(third))
    refused(client.refresh(second))


def test_an_app_with_a_secret_may_repeat_a_lost_response(held: Held) -> None:
    spent, newest = held["rotated"]
    assert good(held.app("own").refresh(spent)).refresh == newest


def test_a_public_app_may_repeat_a_lost_response_once_a_day(held: Held) -> None:
    spent, newest = held["rotated_public"]
    spa = held.app("spa")
    assert good(spa.refresh(spent)).refresh == newest
    held.clock.ahead += 3600
    try:
        refused(spa.refresh(spent))
        refused(spa.refresh(newest))
    finally:
        held.clock.ahead -= 3600


def test_a_released_code_has_expired(held: Held) -> None:
    kept = held["code"]
    refused(held.app("own").redemption(Attempt(**kept["attempt"]), kept["code"]))


def test_a_released_second_click_counts_separately(held: Held) -> None:
    person, _, _ = held.browser("double_click")
    kept = held["double_click"]
    answer = person.ask("POST", kept["action"], kept["fields"])
    assert answer.status_code == 303
    assert person.cookies[person.named("session")].value != kept["session"]


def test_a_released_sign_in_can_still_be_finished(held: Held) -> None:
    person, page, attempt = held.browser("second_factor")
    tokens = held.app("own").redeem(attempt, person.press(page, "second-factor", code=held.phone("kit")))
    assert tokens.claims["auth_time"] == held.clock.now()
