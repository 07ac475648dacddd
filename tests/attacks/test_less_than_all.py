"""Attacks on the sign-in methods by somebody who has shown less than the owner can show: the password alone, or a session from before.

docs/incidents/0065-two-factors-from-one.md
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doorward.core.model.digest import digest
from doorward.core.model.session import Session
from doorward.features.authn.factors.passkeys.build import own_passkeys
from doorward.features.authn.factors.passkeys.owning import Prepared
from tests.authenticator import Authenticator
from tests.browsing import ISSUER, PASSWORD, SESSION, Page
from tests.features.authn.factors.passkeys.served import enrol, use
from tests.front_channel import CALLER, Front, front_channel
from tests.people import code_for, key_bytes
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(73, 85)]
METHODS = "/account/methods"
APP = f"{METHODS}/authenticator"
AAL1, AAL2 = "urn:doorward:aal1", "urn:doorward:aal2"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        yield opened


async def session_of(front: Front, tab: Tab) -> Session:
    found = await front.store.sessions.by_secret(digest(tab.cookies[SESSION]))
    assert found is not None
    return found


async def kinds(front: Front) -> list[str]:
    return [row.kind for row in await front.store.accounts.factors("usr_ada") if row.kind != "recovery_code"]


async def app_set_up(front: Front, tab: Tab) -> Page:
    """The answer to the right code of a new app, on the account pages."""
    page = await tab.get(APP)
    found = re.search(r"secret=([A-Z2-7]+)", page.text)
    assert found is not None, page.header("location")
    return await tab.submit(page, "authenticator", code=code_for(key_bytes(found[1]), front.now))


async def test_the_password_alone_makes_no_second_factor_beside_a_passkey(front: Front) -> None:
    ada = await front.person()
    phone = await enrol(front, ada)
    (mine,) = await front.store.passkeys.of_account(ada.id)
    thief = await front.signed_in()
    assert (await thief.get(METHODS)).status == 200
    form = (await thief.get("/account")).forms["profile"].fields
    for path, fields in (
        (APP, {"setup": "x", "code": "123456"}),
        (f"{METHODS}/passkeys", {"credential": "{}"}),
        (f"{METHODS}/passkeys/remove", {"factor": mine.factor_id}),
        (f"{METHODS}/password", {"current": PASSWORD, "new": "another long password of the thief"}),
    ):
        answer = await thief.post(path, {**form, **fields})
        assert (answer.header("location") or "").startswith("/account/confirm"), path
    page = await thief.on(await thief.get(APP))
    assert page.path.startswith("/account/confirm")
    # the password once more leads to the passkey, and nowhere else
    page = await thief.on(await thief.submit(page, "confirm", password=PASSWORD))
    assert page.path.startswith("/sign-in/passkey")
    assert (await thief.on(await thief.get(APP))).path.startswith("/account/confirm")
    assert await kinds(front) == ["passkey"]
    # the owner shows it
    page = await thief.on(await use(thief, page, phone))
    assert page.path == APP
    assert (await app_set_up(front, thief)).status == 200
    assert sorted(await kinds(front)) == ["passkey", "totp"]


async def test_a_session_from_before_a_factor_was_set_up_changes_none(front: Front) -> None:
    await front.person()
    thief, owner = await front.signed_in(), await front.signed_in()
    front.clock.time += 60
    before = tuple(owner.cookies.items())
    assert (await app_set_up(front, owner)).status == 200
    front.clock.time += 60
    for path in (APP, f"{METHODS}/passkeys"):
        assert (await thief.on(await thief.get(path))).path.startswith("/account/confirm"), path
        # the owner goes on, with what they have just shown
        assert (await owner.get(path)).status == 200, path
    assert tuple(owner.cookies.items()) != before
    mine, theirs = await session_of(front, owner), await session_of(front, thief)
    assert (mine.acr, mine.amr, mine.auth_time) == (AAL2, ("pwd", "otp", "mfa"), front.now - 60)
    assert [proof.kind for proof in mine.proofs] == ["password", "totp"]
    assert (theirs.acr, theirs.amr) == (AAL1, ("pwd",))


async def test_the_old_cookie_ends_with_the_setup(front: Front) -> None:
    await front.person()
    owner = await front.signed_in()
    stolen = front.browser()
    stolen.cookies.update(owner.cookies)
    assert (await app_set_up(front, owner)).status == 200
    assert (await owner.get("/account")).status == 200
    assert (await stolen.get("/account")).status == 303


async def test_a_passkey_is_asked_for_only_when_its_owner_knows_of_it(front: Front) -> None:
    ada = await front.person()
    own, manager = front.services.get(own_passkeys), Authenticator(origin=ISSUER)
    asked: dict[str, Any] = {
        "binding": "ses_1",
        "browser_hash": b"b" * 32,
        "now": front.now,
        "silently": True,
    }
    answer = manager.create(await own.options(ada, **asked), silently=True)
    kept = await own.prepare(ada, answer, second=None, caller=CALLER, **asked)
    assert isinstance(kept, Prepared)
    assert await front.store.commit(*kept.writes)
    tab = await front.signed_in()
    assert (await tab.get(APP)).status == 200
    # from its first use on it is one of their ways to sign in
    other = front.browser()
    page = await other.get("/sign-in/passkey")
    assert (await other.on(await use(other, page, manager))).path == "/account"
    assert (await other.get(APP)).status == 200
    assert (await tab.on(await tab.get(APP))).path.startswith("/account/confirm")


async def test_a_copied_passkey_is_removed_with_the_password(front: Front) -> None:
    ada = await front.person()
    await enrol(front, ada)
    (copied,) = await front.store.passkeys.of_account(ada.id)
    assert await front.store.commit(front.store.passkeys.suspect(copied.factor_id, front.now))
    tab = await front.signed_in()
    await tab.submit(await tab.get(METHODS), "passkey-1")
    assert await kinds(front) == []
