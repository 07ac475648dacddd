"""A device without a browser in a real browser: its code is typed, compared, allowed or refused (RFC 8628 §3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from doorward_demo.demo.device.client import DeviceClient
from tests.browser.conftest import NewPerson
from tests.demo import running

pytestmark = [pytest.mark.browser, pytest.mark.requirement(35)]
IN_SOAK = "no-scripts"
ASKED = re.compile("^Let a device sign in to ")


@pytest.fixture
def device(dev: running.Dev) -> Iterator[DeviceClient]:
    """A command line; it polls at once."""
    state = dev.state
    client = DeviceClient(
        state.places.issuer, state.apps.device.client_id, state.places.api, pause=lambda _: None
    )
    yield client
    client.close()


def test_a_code_is_typed_compared_and_allowed_or_refused(
    people: NewPerson, device: DeviceClient, email: str
) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    codes = device.begin()
    grace.open(codes.verification_uri, "Connect a device")
    grace.page.fill("#user_code", "BBBB-BBBB")
    grace.press("#submit", "Connect a device")
    expect(grace.page.locator("#user_code[aria-invalid=true]")).to_have_value("BBBB-BBBB")
    # small, and without the hyphen
    grace.page.fill("#user_code", codes.user_code.replace("-", "").lower())
    grace.press("#submit", ASKED)
    expect(grace.page.locator("#code")).to_have_text(codes.user_code)
    expect(grace.page.locator("#place")).to_be_visible()
    grace.press("#allow", "You allowed it")
    assert device.wait(codes)["access_token"]
    # the complete address fills in the code, and allows nothing
    codes = device.begin()
    grace.open(codes.verification_uri_complete, "Connect a device")
    expect(grace.page.locator("#user_code")).to_have_value(codes.user_code)
    grace.press("#submit", ASKED)
    grace.press("#deny", "You refused")
