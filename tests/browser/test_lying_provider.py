"""A provider that lies, or that breaks off, in a real browser: nobody is signed in, and the page says what happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.peers import StandInPeer, plain_stand_in
from tests.browser.visiting import Place, placed
from tests.stand_ins.plain import PlainStandIn

pytestmark = pytest.mark.browser

LIES: dict[str, tuple[dict[str, Any], str]] = {
    "wrong nonce": ({"spoiled": {"nonce": "of another sign-in"}}, "didn't work"),
    "no nonce": ({"spoiled": {"nonce": None}}, "didn't work"),
    "wrong issuer": ({"spoiled": {"iss": "https://evil.example"}}, "didn't work"),
    "wrong issuer of the answer": ({"answer_iss": "https://evil.example"}, "didn't work"),
    "wrong audience": ({"spoiled": {"aud": "another app"}}, "didn't work"),
    "another app's token": ({"spoiled": {"azp": "another app"}}, "didn't work"),
    "an old token": ({"spoiled": {"iat": 1, "exp": 2}}, "didn't work"),
    "a forged signature": ({"forged": True}, "didn't work"),
    "down before the code is redeemed": ({"statuses": {"/token": 503}}, "isn't answering"),
}
"""What a provider that lies, or that breaks off, answers; and what the page says."""
LIES_NOW = ("wrong nonce",)


@pytest.fixture(scope="module")
def lying(
    chrome: Browser, checked_in: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, PlainStandIn]]:
    """The server, and a provider that says what a test wants."""
    folder = tmp_path_factory.mktemp("lying")
    with plain_stand_in() as there, placed(StandInPeer(there), folder, chrome, checked_in) as place:
        yield place, there


@pytest.mark.requirement(89, 91)
@pytest.mark.parametrize(
    "lie", [pytest.param(one, marks=() if one in LIES_NOW else pytest.mark.soak) for one in LIES]
)
def test_a_provider_that_lies_signs_nobody_in(lying: tuple[Place, PlainStandIn], lie: str) -> None:
    place, there = lying
    visitor = place.visitor()

    def there_and_back(heading: str) -> None:
        visitor.leave()
        visitor.page.click("#continue")
        visitor.arrive(heading)

    told, said = LIES[lie]
    honest = {one: getattr(there, one) for one in told}
    _set(there, told)
    try:
        there_and_back("Sign in")
        visitor.says(said)
        visitor.signed_in_as(None)
    finally:
        _set(there, honest)
    # the same without the lie
    there_and_back("Profile")
    place.close()


def _set(there: PlainStandIn, members: dict[str, Any]) -> None:
    for name, value in members.items():
        setattr(there, name, value)
