"""Sample of a remembered device that uses every column, for the storage tests; it can be changed by keyword."""

from __future__ import annotations

from typing import Any

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
