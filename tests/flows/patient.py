"""A server that does not mind many tries, for the tests that send it thousands of wrong requests."""

from __future__ import annotations

from typing import Any

MANY = 1_000_000
# so that it is never the limit on tries that answers
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
