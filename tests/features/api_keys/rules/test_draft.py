"""Drafts of API keys: their normal form, and the part that is wrong."""

from __future__ import annotations

import pytest

from doorward.features.api_keys.rules.draft import checked, days_left, new_life
from doorward.features.api_keys.settings import DAY, ApiKeyPolicy
from tests.features import made
from tests.features.api_keys.keyring import draft
from tests.storage.samples import NOW
from tests.storage.samples_keys import api_key

POLICY = ApiKeyPolicy()
HELD = {made.API: ("orders:read", "orders:write")}


def test_a_good_draft_is_put_in_order() -> None:
    asked = draft(
        name="  A  report ", scopes=("orders:write", "orders:read"), networks=("192.0.2.1", "192.0.2.1/32")
    )
    good = checked(asked, held=HELD, policy=POLICY)
    assert good == draft(name="A report", scopes=("orders:read", "orders:write"), networks=("192.0.2.1/32",))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": " "}, "name"),
        ({"name": "n" * 61}, "name"),
        ({"name": "\u202e"}, "name"),
        ({"audience": "https://elsewhere.example"}, "audience"),
        ({"scopes": ()}, "scopes"),
        ({"scopes": ("orders:read", "orders:delete")}, "scopes"),
        ({"life": 3599}, "life"),
        ({"life": POLICY.longest_life + 1}, "life"),
        ({"networks": ("10.0.0.1/8",)}, "networks"),
        ({"networks": tuple(f"192.0.2.{number}" for number in range(21))}, "networks"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], fault: str) -> None:
    assert checked(draft(**changes), held=HELD, policy=POLICY) == fault


def test_a_renewed_key_lives_as_long_as_before_but_no_longer_than_allowed() -> None:
    key = api_key(created_at=NOW, rotated_at=None, expires_at=NOW + 30 * DAY)
    assert new_life(key, POLICY) == 30 * DAY
    assert new_life(api_key(rotated_at=NOW + 20 * DAY, expires_at=NOW + 30 * DAY), POLICY) == 10 * DAY
    assert new_life(key, ApiKeyPolicy(longest_life=7 * DAY, life=DAY)) == 7 * DAY


def test_days_are_counted_up() -> None:
    key = api_key(expires_at=NOW + 7 * DAY)
    assert [days_left(key, at) for at in (NOW, NOW + 1, NOW + 6 * DAY, NOW + 7 * DAY - 1)] == [7, 7, 1, 1]
