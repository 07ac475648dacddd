"""API keys in a browser: made on the page, used at the demo API, exchanged, ended, and refused there within a second."""

from __future__ import annotations

import re
import time

import httpx2
import pytest
from playwright.sync_api import expect

from doorward.features.api_keys.rules.key_format import PATTERN
from tests.browser.conftest import NewPerson
from tests.waiting import PATIENCE, keeps

pytestmark = pytest.mark.browser
IN_SOAK = "no-scripts"


@pytest.mark.requirement(58, 73)
def test_a_key_is_made_used_exchanged_ended_and_refused_within_a_second(
    people: NewPerson, email: str
) -> None:
    ada = people()
    ada.new_account(email, "Ada Script")
    places = ada.places
    ada.press("#nav-apps", "Connected apps")
    ada.press("#api-keys", "API keys")

    def call(credential: str, **more: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {credential}"}
        return httpx2.get(
            f"{places.api}/orders", headers=headers, params=more, timeout=PATIENCE, trust_env=False
        )

    def made(name: str) -> str:
        ada.press("#new", "New API key")
        ada.page.fill("#name", name)
        ada.press("#submit", "New API key")
        expect(ada.page.locator("#may-problem")).to_be_visible()
        assert ada.page.input_value("#name") == name
        ada.page.check("#may-1")
        ada.page.select_option("#days", "30")
        ada.press("#submit", "Your API key")
        key = ada.page.inner_text("#key").strip()
        assert re.fullmatch(PATTERN, key)
        assert key not in ada.page.url
        ada.press("#to-keys", "API keys")
        assert key not in ada.page.content()
        return key

    def ended() -> float:
        key = made("Nightly report")
        assert call(key).status_code == 200
        assert call(key, key=key).status_code == 400, "a key in the address"
        form = {"grant_type": "urn:doorward:grant-type:api-key", "api_key": key}
        answer = httpx2.post(f"{places.issuer}/token", data=form, timeout=PATIENCE, trust_env=False)
        token = answer.json()["access_token"]
        assert call(token).status_code == 200
        began = time.perf_counter()
        ada.page.click("#end-1-submit")
        while {call(key).status_code, call(token).status_code} != {401}:
            assert time.perf_counter() - began < PATIENCE
        took = time.perf_counter() - began
        ada.arrive("API keys")
        expect(ada.page.locator("#done")).to_contain_text("has ended")
        return took

    keeps(1, ended)
    ada.open(f"{places.issuer}/_dev/outbox", "Outbox")
    expect(ada.page.locator("article", has_text=email).first).to_contain_text("A new API key")


@pytest.mark.requirement(74)
def test_a_key_is_renewed_and_the_old_one_works_beside_it(people: NewPerson, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Renew")
    grace.open(f"{grace.places.issuer}/account/api-keys", "API keys")
    grace.press("#new", "New API key")
    grace.page.fill("#name", "Backup")
    grace.page.check("#may-1")
    grace.page.fill("#networks", "127.0.0.1/8")
    grace.press("#submit", "New API key")
    expect(grace.page.locator("#networks-problem")).to_be_visible()
    grace.page.fill("#networks", "")
    grace.press("#submit", "Your API key")
    old = grace.page.inner_text("#key").strip()
    grace.press("#to-keys", "API keys")
    grace.press("#renew-1", "Renew API key")
    grace.page.select_option("#overlap", "3600")
    grace.press("#submit", "Your API key")
    new = grace.page.inner_text("#key").strip()
    assert new != old
    for key in (old, new):
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx2.get(f"{grace.places.api}/orders", headers=headers, timeout=PATIENCE, trust_env=False)
        assert answer.status_code == 200
