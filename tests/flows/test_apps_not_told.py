"""Tests that undelivered log-out notifications are reported to the operator with the reason, and that a private authority can be
configured."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from pathlib import Path

import pytest
import trustme

from doorward.adapters.os_user import os_actor
from doorward.core.model.message import Undelivered
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.apps import App
from tests.flows.listening_app import listening_app
from tests.flows.running import Running, running
from tests.flows.seeds import API, CALLBACK, PASSWORD, House, draft
from tests.waiting import until

ENGINES = BOTH


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A private authority: no machine trusts it."""
    return trustme.CA()


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, database: str | None, authority: trustme.CA
) -> Generator[Running]:
    folder: Path = tmp_path_factory.mktemp("server")
    named = folder / "house.pem"
    authority.cert_pem.write_to_path(named)
    with running(folder, database=database, environ={"DOORWARD_CA_FILE": str(named)}) as started:
        yield started
        assert started.troubles() == []


def hearing(server: Running, name: str, url: str) -> App:
    """An app that receives log-out notifications at this address."""

    async def work(services: Services) -> App:
        wanted = draft(name, "web", first_party=True, backchannel_logout_uri=url)
        made = await services.get(admin.apps).create(os_actor(), wanted, kind="web", access=[API])
        assert made.secret is not None
        return App(server.issuer, made.client.id, made.secret.reveal(), CALLBACK)

    return server.operate(work)


def sign_in_and_out(server: Running, app: App) -> None:
    person = server.person()
    attempt = app.begin()
    app.redeem(attempt, person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD))
    person.press(person.open("/logout"), "sign-out")


def untold(server: Running, app: App) -> Undelivered | None:
    return server.operate(
        lambda services: services.get(admin.apps).get_undelivered(os_actor(), app.client_id)
    )


def delays(server: Running, app: App) -> list[str]:
    return [
        event["reason"]
        for event in server.events()
        if event["event"] == "logout.delayed" and event["client_id"] == app.client_id
    ]


@pytest.mark.requirement(76, 100)
def test_a_refused_notification_is_repeated_and_reported_with_the_reason(
    server: Running, house: House, authority: trustme.CA
) -> None:
    assert house
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    with listening_app([400], tls=theirs) as listener:
        app = hearing(server, "Says no at first", listener.url)
        sign_in_and_out(server, app)
        first = listener.token()
        # checked by the log alone: a command redirects the log to itself while it runs
        until(lambda: delays(server, app))
        assert listener.token() != first, "400 is no acknowledgement"
        assert len(delays(server, app)) == 1
        assert "it answered 400" in delays(server, app)[0]
        until(lambda: untold(server, app) is None)


def test_an_app_with_an_untrusted_certificate_gets_no_notification(server: Running, house: House) -> None:
    assert house
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(theirs)
    with listening_app(tls=theirs) as listener:
        app = hearing(server, "Somebody else", listener.url)
        sign_in_and_out(server, app)
        until(lambda: delays(server, app))
        found = untold(server, app)
        assert found is not None
        assert (found.waiting, found.failed) == (1, 0)
        assert "its certificate is not trusted" in found.problem
        assert found.problem in delays(server, app)
        assert listener.waiting == 0
