"""Device authorization endpoint: the codes, who may ask for them, and how often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doorward.core.model.digest import digest
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.oauth.clients.rules.registration import redirect_uri_problem
from doorward.features.oauth.grants.device_code.build import device_requests
from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE
from tests.devices import AGENT, Device, device, device_app
from tests.features import made
from tests.front_channel import Front, front_channel

pytestmark = pytest.mark.anyio
FIELDS = {
    "status",
    "device_code",
    "user_code",
    "verification_uri",
    "verification_uri_complete",
    "expires_in",
    "interval",
}


@pytest.mark.requirement(34)
async def test_the_answer_has_all_members_and_secrets_are_stored_as_digests(front: Front) -> None:
    """RFC 8628 §3.2."""
    found = await device(front)
    assert found.codes.keys() == FIELDS
    assert found.codes["status"] == 200
    assert (found.codes["expires_in"], found.codes["interval"]) == (600, 5)
    assert found.codes["verification_uri"] == f"{made.ISSUER}/device"
    assert found.codes["verification_uri_complete"] == f"{made.ISSUER}/device?user_code={found.user_code}"
    # 256 random bits: RFC 8628 §5.2 asks for enough that guessing is hopeless
    assert len(found.codes["device_code"]) == len("dw_dc_") + 43
    row = await front.store.device_authorizations.by_device(digest(found.codes["device_code"]))
    assert row is not None
    kept = repr(row)
    for secret in (found.codes["device_code"], found.user_code, found.user_code.replace("-", "")):
        assert secret not in kept
    assert (row.address, row.user_agent) == (found.address, AGENT)


async def test_apps_with_a_secret_may_ask_too_and_must_show_it(front: Front) -> None:
    app = await front.register(
        made.client(id="app_tv", name="tv", grant_types=(GRANT_TYPE,), redirect_uris=())
    )
    tv = Device(front, app)
    assert (await tv.begin())["status"] == 200
    stranger = Device(front, replace_secret(app))
    answer = await stranger.begin()
    assert (answer["status"], answer["error"]) == (401, "invalid_client")


def replace_secret(app: Any) -> Any:
    """The same app as its thief knows it: without its secret."""
    return device_app(id=app.id)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"scope": "orders:fly"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"acr_values": "x" * 600}, "invalid_request"),
    ],
)
async def test_a_bad_request_is_refused_before_a_code_is_made(
    front: Front, form: dict[str, str], code: str
) -> None:
    answer = await Device(front, await front.register(device_app())).begin(**{"scope": "openid", **form})
    assert (answer["status"], answer["error"]) == (400, code)


async def test_an_app_without_the_grant_gets_no_code(front: Front) -> None:
    answer = await Device(front, await front.register(made.public())).begin()
    assert (answer["status"], answer["error"]) == (400, "unauthorized_client")


@pytest.mark.requirement(34, 93)
async def test_a_network_that_begins_too_many_is_told_when_to_come_back() -> None:
    async with front_channel(throttle=ThrottlePolicy(per_address=3)) as front:
        found = await device(front)
        assert [(await found.begin())["status"] for _ in range(3)] == [200, 200, 503]
        assert found.codes["error"] == "temporarily_unavailable"
        assert (await replace(found, address="203.0.113.9").begin())["status"] == 200
        front.clock.time += 900
        assert (await found.begin())["status"] == 200


async def test_what_stands_for_a_redirect_uri_can_be_registered_by_no_app(front: Front) -> None:
    """An older program takes the request of a device for that of an app, and refuses it for this address (decision 0123)."""
    found = await device(front)
    row = await front.store.device_authorizations.by_device(digest(found.codes["device_code"]))
    assert row is not None
    asked = await front.services.get(device_requests).asked(row)
    assert asked is not None
    assert (asked.device, asked.goal) == (row.id, "device")
    assert redirect_uri_problem(asked.redirect_uri, native=True) is not None
    assert front.request().device is None
