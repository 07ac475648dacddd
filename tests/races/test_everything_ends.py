"""Everything that is made while the password is changed or reset ends with it: sessions, codes, refresh tokens, API keys, devices, resets.

A thief knows the old password, and has a signed-in browser and an app. All requests reach the processes at once; afterwards nothing of the thief's
may be used.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import pytest
from anyio import to_thread

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE
from doorward.features.services import Services
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import App
from tests.flows.browsing import Page, Person
from tests.flows.processes import Fleet
from tests.flows.seeds import API, PASSWORD, draft, operate
from tests.races.stampede import at_once, form_of
from tests.waiting import until

ENGINES = POSTGRES_IN_SOAK
pytestmark = [pytest.mark.anyio, pytest.mark.requirement(58, 72, 94)]
NEW = "walrus canyon velvet twelve"
SCOPE = "openid orders:read offline_access"
SILENT = 3
SIGN_INS = 3
End = Literal["change", "reset"]
both = pytest.mark.parametrize("end", ["change", "reset"])


async def line(fleet: Fleet, name: str) -> App:
    """An app on devices."""

    async def work(services: Services) -> App:
        app = draft(name, "device", redirect_uris=())
        made = await services.get(admin.apps).create(os_actor(), app, kind="device", access=[API])
        return App(fleet.issuer, made.client.id, None, "")

    return await to_thread.run_sync(operate, fleet.config, work)


def signed_in(fleet: Fleet, email: str) -> Person:
    """Another browser of the same person, or of who knows the password."""
    person = Person(fleet.issuer)
    page = person.sign_in(person.open("/sign-in"), email, PASSWORD)
    assert page.path == "/account", page.words
    return person


def device_form(fleet: Fleet, thief: Person, device: App) -> tuple[str, Page]:
    """A device code, and the page on which it may be allowed."""
    form = {"client_id": device.client_id, "scope": SCOPE}
    codes = device.http.post(f"{fleet.servers[0].base}/device_authorization", data=form).json()
    page = thief.press(thief.open(f"/device?user_code={codes['user_code']}"), "device-code")
    return codes["device_code"], page


def new_password(owner: Person, email: str, end: End) -> tuple[str, str, dict[str, str]]:
    """The form that sets the new password, with the current one or with a mailed code."""
    if end == "change":
        return form_of(owner.open("/account/methods"), "password-change", current=PASSWORD, new=NEW)
    earlier = owner.mailed_code(email)
    page = owner.press(owner.open("/reset"), "reset", email=email)
    until(lambda: owner.mailed_code(email) != earlier, lambda: "no mail came", look=0.05)
    page = owner.press(page, "check", code=owner.mailed_code(email))
    assert page.path == "/reset/new", page.words
    return form_of(page, "new-password", password=NEW, end_sessions="yes")


async def once(fleet: Fleet, device: App, store: Store, email: str, end: End) -> int:
    """One round. Returns how many requests of the thief succeeded before everything ended."""
    owner = Person(fleet.issuer)
    page = owner.sign_up(owner.open("/sign-up"), email, PASSWORD)
    assert page.path == "/account", page.words
    thief, app = signed_in(fleet, email), fleet.house.own
    attempt = app.begin(SCOPE)
    tokens = app.redeem(attempt, thief.open(attempt.url))
    silent = [app.begin(SCOPE) for _ in range(SILENT)]
    code, allow = device_form(fleet, thief, device)
    new_key = thief.open("/account/api-keys/new")
    wanted: list[tuple[str, str, Any]] = [
        *(("GET", f"{urlsplit(one.url).path}?{urlsplit(one.url).query}", None) for one in silent),
        form_of(allow, "consent", decision="allow"),
        form_of(new_key, "new-key", name="Stolen"),
    ]
    others = [Person(fleet.issuer) for _ in range(SIGN_INS)]
    pages = [one.open("/sign-in") for one in others]
    change = new_password(owner, email, end)

    async def later() -> list[httpx2.Response]:
        await asyncio.sleep(0)
        return await at_once(fleet, owner, [change], first=1)

    refreshing = asyncio.ensure_future(to_thread.run_sync(app.refresh, tokens.refresh))
    answers, changed, *entered = await asyncio.gather(
        at_once(fleet, thief, wanted),
        later(),
        *(
            at_once(fleet, one, [form_of(page, "sign-in", identifier=email, password=PASSWORD)], first=n)
            for n, (one, page) in enumerate(zip(others, pages, strict=True))
        ),
    )
    refreshed = await refreshing
    assert changed[0].status_code == 303, changed[0].text[:400]
    said = "done=password_changed" if end == "change" else "reset=1"
    assert said in changed[0].headers["location"]
    succeeded = sum(
        answer.status_code in {200, 302, 303} for answer in (*answers, *(one[0] for one in entered))
    )
    for one, answer in zip(silent, answers[:SILENT], strict=True):
        given = httpx2.URL(answer.headers.get("location", "")).params.get("code")
        if given is not None:
            await nothing(app, await to_thread.run_sync(app.redemption, one, given))
    form = {"grant_type": GRANT_TYPE, "device_code": code, "client_id": device.client_id}
    polled = device.http.post(f"{fleet.servers[0].base}/token", data=form)
    await nothing(fleet.house.own, polled, of=device)
    if refreshed.status_code == 200:
        await nothing(app, refreshed)
    account = await store.accounts.by_email(email)
    assert account is not None
    now = account.password_changed_at or 0
    left = await store.sessions.live_of(account.id, now)
    # only the session in which the password was changed, if it was not reset
    assert len(left) == (end == "change")
    assert not await store.grants.live_of_account(account.id, now)
    assert not await store.api_keys.any_of_account(account.id, now)
    assert not await store.remembered_devices.of_account(account.id)
    for person in (owner, thief, *others):
        person.close()
    return succeeded


async def nothing(app: App, answer: httpx2.Response, *, of: App | None = None) -> None:
    """The tokens of an answer, if it has any, are good for nothing."""
    if answer.status_code != 200:
        return
    given = answer.json()
    assert app.introspect(given["access_token"])["active"] is False
    again = await to_thread.run_sync((of or app).refresh, given["refresh_token"])
    assert again.status_code == 400, "a refresh token outlived the end of everything"


async def rounds(fleet: Fleet, database: str | None, number: int, end: End) -> None:
    device = await line(fleet, f"Line {end} {number}")
    store = await open_store(database or str(fleet.config.parent / "doorward.db"), migrate=False)
    try:
        succeeded = [
            await once(fleet, device, store, f"{end}-{number}-{one}@example.com", end)
            for one in range(number)
        ]
    finally:
        await store.close()
    # or nothing was born in that moment, and the rounds show nothing
    assert sum(succeeded) > number


@both
async def test_nothing_that_is_made_while_the_password_is_replaced_outlives_it(
    fleet: Fleet, database: str | None, end: End
) -> None:
    await rounds(fleet, database, 2, end)


@pytest.mark.soak
@both
async def test_nothing_outlives_the_password_in_fifty_rounds(
    fleet: Fleet, database: str | None, end: End
) -> None:
    await rounds(fleet, database, 50, end)
