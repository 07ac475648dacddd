"""Attacks on remembered devices: a stolen, moved, tossed or repeated cookie, and a device that outlives what it was trusted for."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.account import Account
from doorward.core.model.config_snapshot import Role
from doorward.core.model.factor_demand import FactorDemand
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.password.rules.password import prepare
from doorward.web.cookies import CookieJar
from tests.browsing import CHROME, PASSWORD
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.tabs import said
from tests.trusting import (
    IPHONE,
    TRUST,
    after_password,
    at_code,
    copied,
    devices,
    remembered,
    sign_out_of,
    skips,
)

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(85)]
APP = structs.replace(made.client(), first_party=True)
NEW_PASSWORD = "walrus canyon velvet twelve"
AAL2 = "urn:doorward:aal2"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.register(APP)
        await opened.authenticator(await opened.person())
        opened.clock.time += 60
        yield opened


async def ada_of(front: Front) -> Account:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    return ada


async def mails(front: Front) -> list[str]:
    return [mail.kind for mail in await front.store.messages.recent_mail(50)]


async def test_a_cookie_copied_to_another_kind_of_browser_is_worth_nothing(front: Front) -> None:
    tab = await remembered(front)
    thief = copied(front, tab, user_agent=IPHONE)
    assert not skips(await after_password(thief))
    # it was not used, so the owner notices nothing, and a newer Chrome on the same system is the same device
    tab.user_agent = CHROME.replace("Chrome/140", "Chrome/141")
    assert skips(await after_password(tab))
    assert "trusted_device_copied" not in await mails(front)


async def test_a_cookie_that_is_used_twice_ends_the_device_and_the_owner_hears_of_it(front: Front) -> None:
    tab = await remembered(front)
    thief = copied(front, tab)
    assert skips(await after_password(thief)), "until then nothing tells the two apart"
    front.clock.time += 61
    assert not skips(await after_password(tab))
    ada = await ada_of(front)
    assert await devices(front, ada) == []
    assert (await mails(front)).count("trusted_device_copied") == 1
    (line,) = await front.audited("trusted_device.replayed")
    assert (line.account_id, line.ok) == (ada.id, False)
    # the thief's newer secret ended with the device, too
    sign_out_of(thief)
    assert not skips(await after_password(thief))
    assert len(await front.audited("trusted_device.replayed")) == 1


async def test_an_altered_secret_is_one_guess(front: Front) -> None:
    tab = await remembered(front)
    good = tab.cookies[TRUST]
    thief = copied(front, tab)
    thief.cookies[TRUST] = good[:-43] + "A" * 43
    assert not skips(await after_password(thief))
    tab.cookies[TRUST] = good
    assert not skips(await after_password(tab))
    assert len(await front.audited("trusted_device.replayed")) == 1


async def test_a_cookie_without_the_password_ends_and_reveals_nothing(front: Front) -> None:
    tab = await remembered(front)
    thief, stranger = copied(front, tab), front.browser("198.51.100.10")
    answers = [await after_password(one, password="not the password at all") for one in (thief, stranger)]
    assert [page.status for page in answers] == [400, 400]
    assert answers[0].words == answers[1].words
    assert skips(await after_password(tab))


async def test_a_cookie_of_another_account_is_worth_nothing(front: Front) -> None:
    eve = await front.person(id="usr_eve", email="eve@example.com")
    sealed = front.services.sealer.seal("totp", "fac_eve", b"e" * 20)
    (totp,) = await front.store.accounts.factors("usr_ada")
    factor = structs.replace(totp, id="fac_eve", account_id=eve.id, sealed=sealed)
    assert await front.store.commit(front.store.accounts.add_factor(factor))
    tab = await remembered(front)
    page = await tab.sign_in("eve@example.com")
    assert not skips(page)
    # it stays Ada's, and unused
    assert len(await devices(front, await ada_of(front))) == 1
    assert skips(await after_password(tab))


async def test_a_cookie_tossed_from_a_sibling_domain_is_not_read(front: Front) -> None:
    """Browsers let no other host set a name with __Host-; a name without it is not the server's."""
    owner = await remembered(front)
    value = owner.cookies[TRUST]
    assert TRUST.startswith("__Host-")
    plain = CookieJar(secure=False, mark=front.jar.mark).name("trust")
    for name in (plain, "trust", f"__Secure-{plain}", front.jar.old_name("trust"), TRUST.lower()):
        tab = front.browser()
        tab.cookies[name] = value
        assert not skips(await after_password(tab)), name


@pytest.mark.parametrize("how", ["change", "reset", "operator"])
async def test_a_new_password_ends_every_device(front: Front, how: str) -> None:
    tab = await remembered(front)
    ada = await ada_of(front)
    if how == "change":
        owner = front.browser()
        await owner.submit(await at_code(owner), "second-factor", code=front.code())
        page = await owner.get("/account/methods")
        done = await owner.submit(page, "password-change", current=PASSWORD, new=NEW_PASSWORD)
        assert done.status == 303, done.words
        assert await devices(front, ada) == []
    elif how == "reset":
        owner = front.browser()
        page = await owner.on(await owner.submit(await owner.get("/reset"), "reset", email="ada@example.com"))
        newest, *_ = await front.store.messages.recent_mail(1)
        letter = open_message(front.services.sealer, newest)
        page = await owner.on(await owner.submit(page, "check", code=letter.code or ""))
        await owner.submit(page, "new-password", password=NEW_PASSWORD)
        assert await devices(front, ada) == []
    else:
        # a path that ends nothing by itself: another program, or one of before
        changed = structs.replace(
            ada,
            password_changed_at=front.now,
            password_hash=await front.services.hasher.hash(Secret(prepare(NEW_PASSWORD))),
        )
        assert await front.store.commit(front.store.accounts.replace(changed))
    front.clock.time += 60
    assert not skips(await after_password(tab, NEW_PASSWORD))


@pytest.mark.requirement(84)
async def test_a_changed_added_or_removed_factor_ends_every_device(front: Front) -> None:
    tab = await remembered(front)
    ada = await ada_of(front)
    (totp,) = await front.store.accounts.factors(ada.id)
    added = structs.replace(totp, id="fac_two", kind="email_code", sealed=None, created_at=front.now)
    assert await front.store.commit(front.store.accounts.add_factor(added))
    assert not skips(await after_password(tab))
    # a new authenticator app has another id
    assert await front.store.commit(
        front.store.accounts.remove_factor(ada.id, "fac_two"),
        front.store.accounts.remove_factor(ada.id, totp.id),
        front.store.accounts.add_factor(
            structs.replace(
                totp, id="fac_new", sealed=front.services.sealer.seal("totp", "fac_new", b"s" * 20)
            )
        ),
    )
    assert not skips(await after_password(tab))


@pytest.mark.requirement(38)
async def test_an_app_that_demands_two_factors_gets_them(front: Front) -> None:
    tab = await remembered(front)
    page = await tab.sign_in_at(await tab.get(front.asking(APP)))
    tokens = await front.redeem(APP, said(page)["code"])
    claims = _claims(tokens["id_token"])
    assert (claims["acr"], claims["amr"]) == ("urn:doorward:aal1", ["pwd"])
    # the session that skipped the step cannot serve as one with it
    page = await tab.on(await tab.get(front.asking(APP, acr_values=AAL2)))
    assert page.path.startswith("/sign-in/code")
    assert "trust" not in page.text.partition("<form")[2]
    assert "login_required" in said(await tab.get(front.asking(APP, acr_values=AAL2, prompt="none"))).values()
    page = await tab.submit(page, "second-factor", code=front.code(), trust="1")
    claims = _claims((await front.redeem(APP, said(page)["code"]))["id_token"])
    assert claims["acr"] == AAL2
    assert len(await devices(front, await ada_of(front))) == 1, "a box that was not there counts for nothing"


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))


STRICT = ("level", "login", "max_age", "app", "role", "operator", "setting")


@pytest.mark.parametrize("strict", STRICT)
async def test_where_the_step_is_wanted_the_device_neither_counts_nor_can_be_remembered(strict: str) -> None:
    policy = SecondFactorPolicy()
    async with front_channel(second_factor=policy) as front:
        app = await front.register(APP)
        ada = await front.person()
        await front.authenticator(ada)
        front.clock.time += 60
        tab = await remembered(front)
        asking: dict[str, str] = {}
        if strict == "level":
            asking = {"acr_values": AAL2}
        elif strict == "login":
            asking = {"prompt": "login"}
        elif strict == "max_age":
            asking = {"max_age": "0"}
        elif strict == "app":
            app = await front.register(structs.replace(APP, second_factor="required"))
        elif strict == "role":
            role = Role("rol_strict", "strict", {}, made.NOW, second_factor=True)
            assert await front.store.commit(front.store.registry.put_role(role))
            await front.services.config.refresh()
            ada = await front.change(ada, role_names=("strict",))
        elif strict == "operator":
            demand = front.store.factor_demands.require(ada.id, front.now, None)
            assert await front.store.commit(demand)
            assert isinstance(await front.store.factor_demands.get(ada.id), FactorDemand)
        else:
            structs.force_setattr(front.advance, "policy", SecondFactorPolicy(ask="each_sign_in"))
        page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(app, **asking))))
        assert page.path.startswith("/sign-in/code"), page.words
        assert 'name="trust"' not in page.text
        other = front.browser()
        page = await other.on(await other.sign_in_at(await other.get(front.asking(app, **asking))))
        done = await other.submit(page, "second-factor", code=front.code(), trust="1")
        assert "code" in said(done)
        assert TRUST not in other.cookies
        assert len(await devices(front, ada)) == 1


@pytest.mark.requirement(73, 84)
async def test_on_a_remembered_device_the_password_alone_changes_no_factor(front: Front) -> None:
    tab = await remembered(front)
    assert skips(await after_password(tab))
    ada = await ada_of(front)
    rows, before = await front.store.accounts.factors(ada.id), await devices(front, ada)
    csrf = await tab.csrf()
    sensitive = [
        route.path
        for route in front.app.routes
        if "POST" in route.methods
        and "recent" in " ".join(route.checks)
        and route.path.startswith("/account")
    ]
    assert len(sensitive) >= 8
    for path in sensitive:
        page = await tab.post(
            path, {"csrf": csrf, "current": PASSWORD, "new": NEW_PASSWORD, "password": PASSWORD}
        )
        assert (page.header("location") or "").startswith("/account/confirm"), path
    silent = await tab.post("/account/passkeys/silent", {"csrf": csrf, "credential": "{}"})
    assert silent.status == 204
    assert "data-passkey-silent" not in (await tab.get("/account")).text, "it would be refused"
    # the page that asks again asks for both steps, on this device too
    page = await tab.get("/account/confirm?return_to=/account/methods")
    page = await tab.on(await tab.submit(page, "confirm", password=PASSWORD))
    assert page.path.startswith("/sign-in/code")
    assert 'name="trust"' not in page.text
    assert await front.store.accounts.factors(ada.id) == rows
    assert await devices(front, ada) == before
    done = await tab.submit(page, "second-factor", code=front.code())
    assert done.header("location") == "/account/methods"
    shown = await tab.post("/account/methods/recovery", {"csrf": csrf})
    assert not (shown.header("location") or "").startswith("/account/confirm")


async def test_a_form_of_another_site_remembers_no_device(front: Front) -> None:
    """The attacker signs the victim's browser in as themselves and has it remembered: the form needs this browser's token."""
    tab = front.browser()
    page = await at_code(tab)
    fields = {**page.forms["second-factor"].fields, "code": front.code(), "trust": "1"}
    await tab.foreign_post("/sign-in/code", fields)
    assert TRUST not in tab.cookies
    assert await devices(front, await ada_of(front)) == []


@pytest.mark.requirement(93)
async def test_a_person_has_at_most_ten_devices(front: Front) -> None:
    first = await remembered(front)
    for _ in range(10):
        await remembered(front)
    found = await devices(front, await ada_of(front))
    assert len(found) == 10
    assert not skips(await after_password(first))


async def test_no_secret_is_stored_or_logged_in_clear(
    front: Front, capfd: pytest.CaptureFixture[str]
) -> None:
    tab = await remembered(front)
    assert skips(await after_password(tab))
    device, _, secret = tab.cookies[TRUST].partition("~")
    ada = await ada_of(front)
    (row,) = await devices(front, ada)
    assert row.id == device
    assert secret.encode() not in repr(row).encode()
    lines = [
        repr(line)
        for kind in ("trusted_device.added", "sign_in.succeeded")
        for line in await front.audited(kind)
    ]
    assert lines
    assert not any(secret in line for line in lines)
    printed = capfd.readouterr()
    assert secret not in printed.out + printed.err
    assert re.search(device, " ".join(lines)), "the audit log says which device it was"
