"""Sample of an API key that uses every column, for the tests; it can be changed by keyword."""

from __future__ import annotations

from typing import Any

from doorward.core.model.api_key import ApiKey
from tests.storage.samples import DAY, NOW, sha


def api_key(name: str = "one", /, **changes: Any) -> ApiKey:
    values: dict[str, Any] = {
        "id": f"key_{name}",
        "account_id": "usr_ada",
        "client_id": None,
        "name": f"Key {name}",
        "audience": "https://api.example.com",
        "scopes": ("orders:read", "orders:write"),
        "networks": ("192.0.2.0/24", "2001:db8::/48"),
        "secret_hash": sha(f"{name} 1"),
        "previous_hash": sha(f"{name} 0"),
        "previous_until": NOW + DAY,
        "token_prefix": f"key_{name}",
        "created_at": NOW,
        "rotated_at": NOW + 1,
        "expires_at": NOW + 90 * DAY,
        "used_at": NOW + 2,
        "warned": 14,
    }
    return ApiKey(**values | changes)
