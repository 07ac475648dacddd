"""Samples of a remembered device and of a device's request that use every column, for the storage tests; they can be changed by keyword."""

from __future__ import annotations

from typing import Any

from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.core.model.remembered_device import RememberedDevice
from tests.storage.samples import DAY, NOW, sha


def remembered(name: str = "one", /, **changes: Any) -> RememberedDevice:
    values: dict[str, Any] = {
        "id": f"dev_{name}",
        "account_id": "usr_ada",
        "secret_hash": sha(f"{name} 1"),
        "previous_hash": None,
        "rotated_at": NOW,
        "name": None,
        "user_agent": "Firefox",
        "address": "192.0.2.1",
        "factors_mark": "0" * 64,
        "created_at": NOW,
        "used_at": NOW,
        "expires_at": NOW + 30 * DAY,
    }
    return RememberedDevice(**values | changes)


def device_request(name: str = "one", /, **changes: Any) -> DeviceAuthorization:
    values: dict[str, Any] = {
        "id": f"dva_{name}",
        "device_hash": sha(f"device {name}"),
        "user_tag": f"tag {name}",
        "user_code": b"sealed",
        "client_id": "app_cli",
        "scopes": ("openid", "orders:read"),
        "audience": "https://api.example.com",
        "acr_values": ("urn:doorward:aal2",),
        "max_age": 600,
        "address": "192.0.2.1",
        "user_agent": "corner-shop-cli/1.0",
        "created_at": NOW,
        "expires_at": NOW + 600,
        "interval": 5,
    }
    return DeviceAuthorization(**values | changes)
