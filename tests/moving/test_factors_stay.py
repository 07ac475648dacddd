"""Tests that second factors are the same and work after a restore from a backup, and after a move to PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.account import EnrolledFactor
from doorward.core.model.provider import ExternalIdentity, PendingIdentity
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.authn.factors.sms.delivery import PHONE_PURPOSE
from doorward.features.authn.flow.proving import MOST_FAILURES
from doorward.features.services import Services
from doorward.storage.sql.open import open_store
from doorward.storage.sql.statements import write
from tests.authenticator import Authenticator
from tests.flows.browsing import Page, Person
from tests.flows.passkeys import SIGN_IN, add_passkey, use_passkey
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD
from tests.moving import house
from tests.moving.crowd import REMEMBERED

DAY = 86_400
PEOPLE = ("passkey", "key", "phone", "mail", "demanded", "barred")
NUMBER = "+491712345678"
ISSUER = "https://accounts.example.com"
BROWSER = b"\x00b\xff" * 10
SECTIONS: dict[str, dict[str, Any]] = {
    "second_factor": {"kinds": ["passkey", "totp", "email_code", "sms"], "grace": DAY},
    # without a gateway the messages stay in the development outbox
    "sms": {"channel": "webhook", "countries": ["DE"]},
}


@dataclass
class Kept:
    """What people hold."""

    phone: Authenticator
    key: Authenticator
    barred: Authenticator


def email(name: str) -> str:
    return f"{name}@example.net"


async def stock(services: Services) -> None:
    """People, a phone, codes by mail, a demand with a grace period, and a remembered device."""
    store, ids = services.store, dict[str, str]()
    for name in PEOPLE:
        made = await services.get(admin.people).create(
            os_actor(), email(name), name=name.title(), password=Secret(PASSWORD)
        )
        ids[name] = made.id
    sealed = services.sealer.seal(PHONE_PURPOSE, "fac_phone", NUMBER.encode())
    phone = EnrolledFactor("fac_phone", ids["phone"], "sms", 1, sealed)
    mail = EnrolledFactor("fac_mail", ids["mail"], "email_code", 1)
    now = services.clock.now()
    device = (
        "dev_1",
        ids["phone"],
        b"\x00s\xff",
        None,
        now,
        "Désk",
        "Firefox ✓",
        "192.0.2.1",
        "mark",
        now,
        now,
        now + DAY,
    )
    assert await store.commit(
        store.accounts.add_factor(phone), store.accounts.add_factor(mail), write(REMEMBERED, *device)
    )
    row = EnrolledFactor("fac_elsewhere", ids["phone"], "provider", 1, code_hash=b"\x00i\xff")
    elsewhere = ExternalIdentity(
        factor_id=row.id,
        account_id=ids["phone"],
        issuer=ISSUER,
        subject="ä sub",
        email="",
        last_used_at=2,
        typed_as="é",
    )
    waiting = PendingIdentity(
        browser_hash=BROWSER,
        sign_in_id="sin_1",
        provider="example",
        issuer=ISSUER,
        subject="another",
        email="é@example.org",
        taken=True,
        expires_at=now + DAY,
    )
    identities = store.external_identities
    assert await store.commit(
        store.accounts.add_factor(row), identities.insert(elsewhere), identities.put_pending(waiting)
    )
    await services.get(admin.factors).require(os_actor(), email("demanded"), grace=7 * DAY)


def enrol(fleet: Fleet, name: str, **about: Any) -> Authenticator:
    """A passkey, added on the person's pages."""
    device = Authenticator(origin=fleet.issuer, **about)
    with Person(fleet.issuer) as owner:
        owner.sign_in(owner.open("/sign-in"), email(name), PASSWORD)
        add_passkey(owner, device)
    return device


async def bar(services: Services) -> None:
    """A hundred failures in a row of one passkey."""
    (account,) = await services.store.accounts.find(email("barred"))
    (row,) = [row for row in await services.store.accounts.factors(account.id) if row.kind == "passkey"]
    failures = services.store.factor_failures
    for _ in range(MOST_FAILURES):
        await services.store.commit(failures.add((row.id,), known=False))


async def rows(place: str) -> dict[str, Any]:
    """All that is stored of second factors, by person."""
    store = await open_store(place)
    try:
        found: dict[str, Any] = {}
        for name in PEOPLE:
            (account,) = await store.accounts.find(email(name))
            found[name] = (
                await store.accounts.factors(account.id),
                await store.passkeys.of_account(account.id),
                await store.factor_demands.get(account.id),
                await store.factor_failures.of_account(account.id),
                await store.sent_codes.of_account(account.id),
                await store.external_identities.of_account(account.id),
                [
                    tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
                    for row in await store.remembered_devices._db.all(
                        "SELECT * FROM remembered_devices WHERE account_id = ?", (account.id,)
                    )
                ],
            )
        found["outbox"] = sorted((one.id, one.sealed) for one in await store.outgoing_sms.recent(100))
        found["waiting"] = await store.external_identities.pending(BROWSER)
        found["needs"] = await store.meta("schema.readable")
        return found
    finally:
        await store.close()


def by_password(fleet: Fleet, name: str) -> tuple[Person, Page]:
    """The page after the password."""
    person = Person(fleet.issuer)
    return person, person.sign_in(person.open("/sign-in"), email(name), PASSWORD)


def everything_works(fleet: Fleet, kept: Kept, *, phone: bool = True) -> None:
    """Assert that every factor is asked for, and taken, and that what is demanded and barred still is."""
    with Person(fleet.issuer) as person:
        assert use_passkey(person, person.open(SIGN_IN), kept.phone).path == "/account"
    person, page = by_password(fleet, "key")
    assert page.path == SIGN_IN
    assert use_passkey(person, page, kept.key).path == "/account"
    person.close()
    sent = {"mail": email("mail"), **({"phone": NUMBER} if phone else {})}
    for name, to in sent.items():
        person, page = by_password(fleet, name)
        assert page.path == "/sign-in/code", page.words
        assert person.press(page, "second-factor", code=person.mailed_code(to)).path == "/account"
        person.close()
    person, page = by_password(fleet, "demanded")
    assert page.path == "/sign-in/enrol", page.words
    assert person.press(page, "later").path == "/account", "within the grace period it may be put off"
    person.close()
    with Person(fleet.issuer) as person:
        assert use_passkey(person, person.open(SIGN_IN), kept.barred).status == 429


@pytest.mark.requirement(84, 85)
def test_factors_work_after_a_restore_and_after_a_move(tmp_path: Path, postgres_url: str) -> None:
    with processes(tmp_path, 1, sections=SECTIONS, host="localhost") as fleet:
        server, file = fleet.servers[0], str(tmp_path / "doorward.db")
        operate(fleet.config, stock)
        # a counter goes on where it was; a key that is carried along is asked for after the password
        kept = Kept(
            phone=enrol(fleet, "passkey"),
            key=enrol(fleet, "key", counts=True, synced=False, transports=("usb",)),
            barred=enrol(fleet, "barred"),
        )
        operate(fleet.config, bar)
        everything_works(fleet, kept)
        # a code that is on its way
        half, page = by_password(fleet, "mail")
        code = half.mailed_code(email("mail"))
        server.stop()
        before = asyncio.run(rows(file))
        for kind in zip(*(before[name] for name in PEOPLE), strict=True):
            assert any(kind), before
        assert before["outbox"]
        assert before["waiting"]
        assert before["needs"]
        house.done(house.doorward(fleet, "backup", "a.bak", "--json"))
        house.done(house.doorward(fleet, "restore", "a.bak", "--replace", "--yes", "--json"))
        assert asyncio.run(rows(file)) == before
        server.start()
        assert half.press(page, "second-factor", code=code).path == "/account"
        half.close()
        everything_works(fleet, kept)
        half, page = by_password(fleet, "phone")
        code = half.mailed_code(NUMBER)
        house.done(house.doorward(fleet, "move", "doorward.db", postgres_url, "--json"))
        moved = house.on(fleet, postgres_url, SECTIONS)
        assert half.press(page, "second-factor", code=code).path == "/account"
        everything_works(fleet, kept, phone=False)
        # three messages were sent to the number: they were counted on the other database
        again, page = by_password(fleet, "phone")
        (form,) = [name for name, form in page.forms.items() if form.action.startswith("/sign-in/code/send")]
        assert again.press(page, form).status == 429
        again.close()
        half.close()
        assert moved.troubles() == []
