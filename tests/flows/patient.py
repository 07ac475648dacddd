"""Settings of a server with high limits on tries, for tests that send thousands of wrong requests."""

from __future__ import annotations

from typing import Any

MANY = 1_000_000
# so that a limit on tries is never the reason of a refusal
PATIENT: dict[str, dict[str, Any]] = {
    "throttle": {
        "per_account": MANY,
        "per_device": MANY,
        "per_address": MANY,
        "per_code": MANY,
        "mails_per_address": MANY,
        "mails_per_day": MANY,
    },
    "metrics": {"token": "metrics-token-of-the-tests"},
}
