"""Account pages of API keys: made after a recent sign-in, shown once, renewed and ended by their owner alone."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

import pytest

from doorward.adapters.mail.queue import open_message
from doorward.features.api_keys.rules.key_format import PATTERN
from tests.browsing import Page
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(74)]
KEYS, NEW = "/account/api-keys", "/account/api-keys/new"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        yield opened


@pytest.fixture
async def tab(front: Front) -> Tab:
    tab = front.browser()
    await tab.sign_in()
    return tab


async def created(tab: Tab, name: str = "Nightly report") -> str:
    """The key that the page shows."""
    page = await tab.get(NEW)
    shown = await tab.submit(page, "new-key", **{"name": name, "days": "30", "may:orders:read": "1"})
    assert shown.status == 200, shown.words
    (key,) = re.findall(PATTERN, shown.text)
    return key


async def exchanged(tab: Tab, key: str) -> int:
    form = {"grant_type": "urn:doorward:grant-type:api-key", "api_key": key}
    return (await tab.ask("POST", "/token", form=form)).status


async def test_a_key_is_made_and_shown_once_and_works(front: Front, tab: Tab) -> None:
    apps = await tab.get("/account/apps")
    assert 'id="api-keys"' in apps.text
    key = await created(tab)
    assert await exchanged(tab, key) == 200
    listed = await tab.get(KEYS)
    assert "Nightly report" in listed.words
    assert key not in listed.text
    stored = await front.store.api_keys.of_account("usr_ada")
    assert (stored[0].name, stored[0].scopes, stored[0].audience) == (
        "Nightly report",
        ("orders:read",),
        made.API,
    )
    (event,) = await front.audited("api_key.created")
    assert key not in str(event)
    activity = await tab.get("/account/activity")
    assert "You created an API key" in activity.words
    mails = [
        open_message(front.services.sealer, mail)
        for mail in await front.store.messages.due_mail(front.now + 60)
    ]
    (told,) = [mail for mail in mails if "API key" in mail.subject]
    assert "Nightly report" in told.text
    assert not re.search(PATTERN, f"{told.subject}{told.text}")


@pytest.mark.requirement(73)
async def test_a_key_is_made_only_after_a_recent_sign_in(front: Front, tab: Tab) -> None:
    page = await tab.get(NEW)
    front.clock.time += 700
    late = await tab.submit(page, "new-key", **{"name": "x", "days": "30", "may:orders:read": "1"})
    assert late.status == 303
    assert (late.header("location") or "").startswith("/account/confirm?return_to=")
    assert (await tab.get(NEW)).status == 303
    assert await front.store.api_keys.page() == []


async def test_what_is_wrong_is_said_at_its_field(tab: Tab) -> None:
    page = await tab.get(NEW)

    async def wrong(**fields: str) -> Page:
        good = {"name": "x", "days": "30", "may:orders:read": "1"}
        return await tab.submit(page, "new-key", **{**good, **fields})

    for fields, said in (
        ({"name": " "}, "Give the key a name"),
        ({"days": "9999"}, "Choose one of the times"),
        ({"days": "-1"}, "Choose one of the times"),
        ({"networks": "10.0.0.1/8"}, "Enter addresses or networks"),
        ({"may:orders:write": "1"}, "Choose at least one thing"),
        ({"may:x": "1"}, "Choose at least one thing"),
    ):
        answer = await wrong(**fields)
        assert answer.status == 400, fields
        assert said in answer.words
    refused = await tab.submit(page, "new-key", name="x", days="30")
    assert "Choose at least one thing" in refused.words


async def test_a_key_is_renewed_and_ended(front: Front, tab: Tab) -> None:
    old = await created(tab)
    (stored,) = await front.store.api_keys.of_account("usr_ada")
    page = await tab.get(f"/account/api-keys/renew?key={stored.id}")
    shown = await tab.submit(page, "renew-key", overlap="3600")
    (new,) = re.findall(PATTERN, shown.text)
    assert await exchanged(tab, old) == await exchanged(tab, new) == 200
    listed = await tab.get(KEYS)
    assert "The key before it works until" in listed.words
    done = await tab.on(await tab.submit(listed, "end-1"))
    assert "The API key has ended" in done.words
    assert await exchanged(tab, old) == await exchanged(tab, new) == 400
    assert (await tab.get(f"/account/api-keys/renew?key={stored.id}")).status == 303


async def test_a_person_without_rights_is_offered_nothing(front: Front, tab: Tab) -> None:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    await front.change(ada, role_names=())
    assert 'id="api-keys"' not in (await tab.get("/account/apps")).text
    listed = await tab.get(KEYS)
    assert "nothing here that you could use one for" in listed.words
    assert 'id="new"' not in listed.text
    assert (await tab.get(NEW)).header("location") == KEYS
