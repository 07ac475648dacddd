"""Device codes at the token endpoint: what a device hears while it polls, and what ends what it got."""

from __future__ import annotations

import asyncio

import pytest

from doorward.core.model.digest import digest
from tests.devices import Device, allow, ask, device, device_app, state
from tests.features import made
from tests.front_channel import Front

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]


async def allowed(front: Front, **changes: object) -> Device:
    """A device that Ada has just allowed."""
    found = await device(front, **changes)
    assert state(await allow(await front.signed_in(), found.user_code)) == "allowed"
    return found


@pytest.mark.requirement(35)
async def test_a_device_waits_then_gets_tokens_and_refreshes_them(front: Front) -> None:
    found = await device(front)
    assert await found.said() == "authorization_pending"
    await allow(await front.signed_in(), found.user_code)
    front.clock.time += 5
    tokens = await found.poll()
    assert tokens["status"] == 200, tokens
    assert tokens["scope"] == "openid orders:read offline_access"
    assert {"access_token", "refresh_token", "id_token"} <= tokens.keys()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await found.post("/token", form))["status"] == 200
    events = [await front.audited(f"device_code.{kind}") for kind in ("approved", "redeemed")]
    assert [len(each) for each in events] == [1, 1]
    assert events[0][0].detail["device_address"] == found.address
    assert events[0][0].grant_id == events[1][0].grant_id


@pytest.mark.requirement(35)
async def test_a_pending_poll_writes_nothing_and_a_fast_one_raises_the_interval(front: Front) -> None:
    """better-auth#10135: the raised interval is stored, so that every process enforces it."""
    found = await device(front)

    async def row() -> object:
        return await front.store.device_authorizations.by_device(digest(found.codes["device_code"]))

    before = await row()
    for _ in range(6):
        assert await found.said() == "authorization_pending"
        front.clock.time += 5
    assert await row() == before
    front.clock.time -= 4
    assert await found.said() == "slow_down"
    raised = await front.store.device_authorizations.by_device(digest(found.codes["device_code"]))
    assert raised is not None
    assert (raised.interval, raised.slowed_at) == (10, front.now)
    front.clock.time += 10
    assert await found.said() == "authorization_pending"


@pytest.mark.requirement(35)
async def test_expired_and_refused_have_their_own_errors(front: Front) -> None:
    """RFC 8628 §3.5: expired_token, access_denied."""
    late, refused = await device(front), Device(front, device_app())
    await refused.begin()
    assert state(await allow(await front.signed_in(), refused.user_code, "deny")) == "denied"
    assert await refused.said() == "access_denied"
    assert (await front.audited("device_code.denied"))[0].ok is False
    front.clock.time += 600
    assert await late.said() == "expired_token"
    assert await refused.said() == "access_denied"


@pytest.mark.requirement(35)
async def test_a_code_is_redeemed_once_and_a_second_time_ends_what_it_gave(front: Front) -> None:
    found = await allowed(front)
    tokens = await found.poll()
    assert tokens["status"] == 200
    assert await found.said() == "invalid_grant"
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await found.post("/token", form))["error"] == "invalid_grant"
    assert len(await front.audited("device_code.reused")) == 1
    await found.poll()
    assert len(await front.audited("device_code.reused")) == 1


@pytest.mark.requirement(35)
async def test_of_many_polls_at_once_one_gets_tokens(front: Front) -> None:
    found = await allowed(front)
    answers = await asyncio.gather(*(found.poll() for _ in range(16)))
    assert [answer["status"] for answer in answers].count(200) <= 1
    assert len(await front.audited("device_code.redeemed")) == 1


@pytest.mark.requirement(94)
@pytest.mark.parametrize("how", ["session", "disabled", "password", "app"])
async def test_what_was_allowed_and_not_fetched_yet_ends_with_what_it_rests_on(
    front: Front, how: str
) -> None:
    found = await device(front)
    await found.begin("openid orders:read")
    tab = await front.signed_in()
    await allow(tab, found.user_code)
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    if how == "session":
        page = await tab.get("/account/devices")
        await tab.submit(page, "end-1")
    elif how == "disabled":
        await front.change(account, disabled_at=front.now)
    elif how == "password":
        writes = await front.revoker.account(
            account.id, now=front.now, reason="password_changed", sub_entry=True
        )
        assert await front.store.commit(*writes)
    else:
        assert await front.store.commit(
            *front.revoker.client(found.app.id, now=front.now, reason="app_deleted")
        )
    assert await found.said() == "access_denied"


async def test_scopes_are_what_the_person_may_do_when_the_device_fetches_its_tokens(front: Front) -> None:
    found = await allowed(front)
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.change(account, role_names=())
    assert (await found.poll())["scope"] == "openid offline_access"


async def test_a_resource_other_than_the_allowed_one_is_refused_and_spends_nothing(front: Front) -> None:
    found = await allowed(front)
    assert (await found.poll(resource="https://elsewhere.example"))["error"] == "invalid_target"
    assert (await found.poll(resource=made.API))["status"] == 200


@pytest.mark.parametrize("code", ["", "dw_dc_unknown", "x" * 5000, "\u00fc"])
async def test_other_codes_are_refused(front: Front, code: str) -> None:
    found = await device(front)
    expected = "invalid_grant" if code else "invalid_request"
    assert (await found.poll(device_code=code))["error"] == expected


async def test_a_level_that_the_device_asks_for_is_reached_first(front: Front) -> None:
    """RFC 9470: the request of a device names a level, as that of an app does."""
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.authenticator(account)
    found, tab = await device(front), front.browser()
    page = await tab.on(await tab.sign_in())
    page = await tab.on(await tab.submit(page, "second-factor", code=front.code()))
    await found.begin(acr_values="urn:doorward:aal2", max_age="0")
    page = await ask(tab, found.user_code)
    assert "consent" not in page.forms
    page = await tab.follow(await tab.submit(page, "sign-in", identifier="ada@example.com", password="x"))
    assert page.problem is not None
