"""Redemption of device codes: every state has its own answer."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.grants.device_code.rules import redeem as rule
from tests.devices import device_app
from tests.features import made
from tests.storage.samples_devices import device_request

NOW = made.NOW
ALLOWED: dict[str, Any] = {"approved_at": NOW + 1, "account_id": "usr_ada", "grant_id": "grt_one"}


def verdict(grant: Any = None, at: int = NOW + 2, **changes: Any) -> Any:
    request = device_request(created_at=NOW, expires_at=NOW + 600, **changes)
    return rule.check(request, grant, device_app(), now=at)


@pytest.mark.requirement(35)
@pytest.mark.parametrize(
    ("changes", "at", "code"),
    [
        ({"denied_at": NOW + 1}, NOW + 2, "access_denied"),
        ({"denied_at": NOW + 1}, NOW + 900, "access_denied"),
        ({}, NOW + 600, "expired_token"),
        (ALLOWED, NOW + 600, "expired_token"),
        ({"client_id": "app_other"}, NOW + 2, "invalid_grant"),
        ({"client_id": "app_other", **ALLOWED, "redeemed_at": NOW + 2}, NOW + 3, "invalid_grant"),
    ],
)
def test_what_a_device_hears(changes: dict[str, Any], at: int, code: str) -> None:
    found = verdict(made.grant(), at, **changes)
    assert isinstance(found, OAuthError)
    assert found.code == code


def test_an_unknown_code_is_refused() -> None:
    found = rule.check(None, None, device_app(), now=NOW)
    assert isinstance(found, OAuthError)
    assert found.code == "invalid_grant"


@pytest.mark.requirement(35)
def test_pending_allowed_and_redeemed_are_told_apart() -> None:
    assert isinstance(verdict(), rule.DevicePending)
    assert isinstance(verdict(made.grant(), **ALLOWED), rule.DeviceAllowed)
    assert isinstance(verdict(made.grant(), **ALLOWED, redeemed_at=NOW + 2), rule.DeviceRedeemed)


@pytest.mark.requirement(94)
@pytest.mark.parametrize(
    "grant", [None, made.grant(ended_at=NOW + 1, end_reason="password_changed"), made.grant(expires_at=NOW)]
)
def test_what_was_allowed_ends_with_its_grant(grant: Any) -> None:
    found = verdict(grant, **ALLOWED)
    assert isinstance(found, OAuthError)
    assert found.code == "access_denied"
