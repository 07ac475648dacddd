"""Steps with a device that has no browser: its code is typed in the person's (RFC 8628)."""

from __future__ import annotations

from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.device.client import GRANT, SCOPES
from doorward_demo.demo.drive.failed import expect
from doorward_demo.demo.drive.journey import Journey
from doorward_demo.demo.drive.wire import document


def ask_for_codes(journey: Journey) -> str:
    """A command line asks for codes and polls; nobody has allowed it."""
    client_id = journey.state.apps.device.client_id
    form = {"client_id": client_id, "scope": SCOPES, "resource": journey.api}
    answer = journey.wire.send("POST", journey.metadata["device_authorization_endpoint"], form=form)
    expect(answer.status_code == 200, "status 200", answer.status_code)
    journey.codes = document(answer)
    error = _poll(journey).get("error")
    expect(error == "authorization_pending", "authorization_pending", error)
    error = _poll(journey).get("error")
    expect(error == "slow_down", "slow_down for a second poll at once", error)
    return f"It shows {journey.codes['user_code']}, and is told to wait"


def allow_device(journey: Journey) -> str:
    """The person opens the complete address, compares the code, and allows; the command line gets its own tokens."""
    browser, codes = journey.browser, journey.codes
    browser.go(codes["verification_uri_complete"])
    browser.arrived_at("device-code")
    error = _poll(journey).get("error")
    expect(error in {"authorization_pending", "slow_down"}, "nothing from an opened address", error)
    browser.submit("device-code", {})
    browser.arrived_at("consent")
    browser.submit("consent", {"decision": "allow"})
    said = _poll(journey)
    expect("access_token" in said, "tokens", said.get("error"))
    access = str(said["access_token"])
    journey.show_token("access token", decoded(access))
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=access)
    expect(answer.status_code == 200, "status 200", answer.status_code)
    return "The address alone allowed nothing; the person did, and the API answers the command line"


def _poll(journey: Journey) -> dict[str, object]:
    form = {
        "grant_type": GRANT,
        "client_id": journey.state.apps.device.client_id,
        "device_code": str(journey.codes["device_code"]),
    }
    return document(journey.wire.send("POST", journey.metadata["token_endpoint"], form=form))
