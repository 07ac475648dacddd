"""Remembered devices in the JSON sign-in: the app asks for it, holds the value, and sends it next time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.features.oauth.first_party.test_challenge_routes import ADA, APP, BEGIN, call
from tests.front_channel import Front

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(85), pytest.mark.usefixtures("front_account")]
APPS = (APP,)
IPHONE = "Shop/1.2 (iPhone; iOS 18)"


async def begun(front: Front, **more: str) -> dict[str, Any]:
    return await call(front, {**BEGIN, **ADA, **more})


async def remembered(front: Front) -> str:
    """The value that the app holds after a sign-in with the second step."""
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    await front.authenticator(ada)
    front.clock.time += 60
    first = await begun(front)
    assert "trust_token" not in first
    handle = {"client_id": APP.id, "auth_session": first["auth_session"]}
    wrong = await call(front, {**handle, "code": "000000", "trust": "1"})
    assert (wrong["status"], "trust_token" in wrong) == (403, False)
    done = await call(front, {**handle, "code": front.code(), "trust": 1})
    assert done["status"] == 200, done
    front.clock.time += 60
    return done["trust_token"]


async def test_the_next_sign_in_needs_the_password_only_and_gets_a_new_value(front: Front) -> None:
    token = await remembered(front)
    for _ in range(3):
        done = await begun(front, trust_token=token)
        assert done["status"] == 200
        assert done["trust_token"] != token
        token = done["trust_token"]
        tokens = await front.redeem(APP, done["authorization_code"])
        assert tokens["status"] == 200
        front.clock.time += 3600
    assert (await begun(front))["next"] == "second_factor"


async def test_a_spent_value_ends_the_device(front: Front) -> None:
    token = await remembered(front)
    newer = (await begun(front, trust_token=token))["trust_token"]
    front.clock.time += 61
    assert (await begun(front, trust_token=token))["next"] == "second_factor"
    assert (await begun(front, trust_token=newer))["next"] == "second_factor"
    assert len(await front.audited("trusted_device.replayed")) == 1


async def test_all_in_one_call_and_only_where_it_was_asked_for(front: Front) -> None:
    token = await remembered(front)
    assert token.count("~") == 1
    for wish in ("0", "yes", ""):
        front.clock.time += 30
        done = await begun(front, code=front.code(), trust=wish)
        assert (done["status"], "trust_token" in done) == (200, False)
    front.clock.time += 30
    done = await begun(front, code=front.code(), trust="1")
    assert (await begun(front, trust_token=done["trust_token"]))["status"] == 200


async def test_a_sign_in_without_a_second_step_remembers_nothing(front: Front) -> None:
    done = await begun(front, trust="1")
    assert (done["status"], "trust_token" in done) == (200, False)
    assert list(await front.store.remembered_devices.of_account("usr_ada")) == []


async def test_where_two_factors_are_demanded_the_value_counts_for_nothing(front: Front) -> None:
    token = await remembered(front)
    strict = await begun(front, trust_token=token, acr_values="urn:doorward:aal2")
    assert strict["next"] == "second_factor"
    handle = {"client_id": APP.id, "auth_session": strict["auth_session"]}
    done = await call(front, {**handle, "code": front.code(), "trust": "1"})
    assert (done["status"], "trust_token" in done) == (200, False)


@pytest.mark.parametrize("junk", ["x", "~", "dev_~", ".", "a" * 5000, "dev_" + "0" * 32 + "~" + "a" * 43])
async def test_junk_in_place_of_a_value_changes_nothing(front: Front, junk: str) -> None:
    await remembered(front)
    assert (await begun(front, trust_token=junk))["next"] == "second_factor"
    assert await front.audited("trusted_device.replayed") == []
    number = await call(front, {**BEGIN, **ADA, "trust_token": 5})
    assert number["status"] == 400


async def test_a_value_moves_to_no_other_kind_of_device(front: Front) -> None:
    token = await remembered(front)
    answer = await call(front, {**BEGIN, **ADA, "trust_token": token}, user_agent=IPHONE)
    assert answer["next"] == "second_factor"
    assert (await begun(front, trust_token=token))["status"] == 200
