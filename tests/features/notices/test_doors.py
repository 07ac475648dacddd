"""Mail to the owner through every way in: the pages, the JSON sign-in, a provider, a directory, a device; received by a real mail server.

A known device gets none (zulip#5854), and an update of the browser, or another address, makes it no other device.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from tests.browsing import CHROME, PASSWORD
from tests.devices import allow, device
from tests.engines import POSTGRES_IN_SOAK
from tests.features import made
from tests.features.authn.providers.journey import ADA, Journey, journey
from tests.features.notices.outbox import Outbox, Sink, mail_server
from tests.front_channel import CODE_CHALLENGE, Front, front_channel
from tests.slapd import PASSWORD as DIRECTORY_PASSWORD
from tests.slapd import person, slapd
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
ENGINES = POSTGRES_IN_SOAK
UPDATED = CHROME.replace("Chrome/1", "Chrome/2")
NEW = "on a device we haven't seen before."
APP = made.public(id="app_tv", name="tv", first_party=True, redirect_uris=())


@asynccontextmanager
async def sending(front: Front) -> AsyncIterator[tuple[Outbox, Sink]]:
    """The mail worker, and the server that it sends to."""
    with mail_server() as (sink, smtp):
        yield Outbox(front, smtp=smtp), sink


async def told_once(front: Front, sign_in: Callable[[Tab], Awaitable[None]]) -> None:
    """A new browser is told of, and the same one is not: later, after an update, at another address."""
    async with sending(front) as (outbox, sink):
        await sign_in(front.browser("192.0.2.50"))
        await outbox.run(7200)
        sink.mails.clear()
        tab = front.browser("198.51.100.20")
        await sign_in(tab)
        await outbox.run(30)
        (text,) = sink.texts()
        assert NEW in text
        assert "UTC · Chrome on" in text
        assert "From an unknown place (198.51.100.20)" in text
        assert "/not-me?token=" in text
        tab.user_agent, tab.address = UPDATED, "203.0.113.30"
        tab.cookies = {name: value for name, value in tab.cookies.items() if not name.endswith("_session")}
        await sign_in(tab)
        await outbox.run(7200)
        assert sink.texts() == []


async def test_the_pages(own_database: str | None) -> None:
    async with front_channel(database=own_database or ":memory:") as front:
        await front.person()

        async def sign_in(tab: Tab) -> None:
            assert (await tab.sign_in()).status == 303

        await told_once(front, sign_in)


async def test_a_provider(own_database: str | None, tmp_path: Path) -> None:
    more = {"database": own_database or ":memory:"}
    async with journey(tmp_path, more=more) as there:

        async def sign_in(tab: Tab) -> None:
            assert (await there.sign_in(tab, **ADA)).status == 200

        await told_once(there.front, sign_in)
        await _disconnecting_is_told(there)


async def _disconnecting_is_told(there: Journey) -> None:
    account = await there.account("ada@example.com")
    assert account is not None
    async with sending(there.front) as (outbox, sink):
        await outbox.happens("provider_connected", account, name="Example")
        await outbox.run(3600)
        (text,) = sink.texts()
        assert "can sign in here as you" in text


async def test_a_directory(own_database: str | None, tmp_path: Path) -> None:
    with slapd(tmp_path) as corp:
        corp.add(person("bob", mail="bob@example.com", cn="Bob Builder", givenName="Bob"))
        async with front_channel(database=own_database or ":memory:", directories=corp.settings()) as front:

            async def sign_in(tab: Tab) -> None:
                assert (await tab.sign_in(email="bob", password=DIRECTORY_PASSWORD)).status == 303

            await told_once(front, sign_in)


async def test_a_json_sign_in(own_database: str | None) -> None:
    async with front_channel(database=own_database or ":memory:") as front, sending(front) as (outbox, sink):
        await front.person()
        await front.register(APP)
        asked = {
            "client_id": "app_tv",
            "scope": "openid orders:read",
            "code_challenge": CODE_CHALLENGE,
            "code_challenge_method": "S256",
            "username": "ada@example.com",
            "password": PASSWORD,
        }

        async def call(address: str, **more: str) -> dict[str, str]:
            body = msgspec.json.encode({**asked, **more})
            tab = front.browser(address)
            page = await tab.ask("POST", "/authorize-challenge", body=body, content_type="application/json")
            assert page.status == 200, page.text
            return msgspec.json.decode(page.text)

        first = await call("198.51.100.20")
        await outbox.run(30)
        (text,) = sink.texts()
        assert NEW in text
        assert "From an unknown place (198.51.100.20)" in text
        await call("203.0.113.30", device_token=first["device_token"])
        await outbox.run(7200)
        assert sink.texts() == []


async def test_a_device_that_a_person_allows(own_database: str | None) -> None:
    """The sign-in of the person is that of their browser; that the device stays connected is told each time."""
    async with front_channel(database=own_database or ":memory:") as front, sending(front) as (outbox, sink):
        await front.person()
        found, tab = await device(front), await front.signed_in()
        await outbox.run(7200)
        assert NEW in sink.texts()[0]
        for _ in range(2):
            await found.begin()
            await allow(tab, found.user_code)
            await outbox.run(30)
            (text,) = sink.texts()
            assert "You allowed Corner CLI to use your account while you are away" in text


async def test_an_app_that_gets_offline_access_is_told_once(own_database: str | None) -> None:
    async with front_channel(database=own_database or ":memory:") as front, sending(front) as (outbox, sink):
        await front.person()
        app = await front.register(made.public(id="app_far", name="Far"))
        tab = await front.signed_in()
        await outbox.run(7200)
        sink.mails.clear()
        asking = front.asking(app, scope="openid orders:read offline_access")
        page = await tab.on(await tab.get(asking))
        await tab.submit(page, "consent", decision="allow")
        await outbox.run(30)
        (text,) = sink.texts()
        assert "You allowed Far to use your account while you are away" in text
        await tab.on(await tab.get(asking))
        await outbox.run(7200)
        assert sink.texts() == []


async def test_the_place_is_named_where_the_operators_files_know_it(
    own_database: str | None, tmp_path: Path
) -> None:
    ranges = tmp_path / "countries.csv"
    ranges.write_text("9.9.9.0,9.9.9.255,PT\n")
    async with front_channel(database=own_database or ":memory:") as plain:
        policy = structs.replace(plain.settings.places, countries=(str(ranges),))
    async with (
        front_channel(places=policy) as front,
        sending(front) as (outbox, sink),
    ):
        ada = await front.person()
        await outbox.happens("password_changed", ada, origin="9.9.9.9")
        await outbox.happens("recovery_code_used", ada, origin="10.0.0.3", left=2)
        await outbox.run()
        (text,) = sink.texts()
        assert "From PT (9.9.9.9)" in text
        assert "From an unknown place (10.0.0.3)" in text
