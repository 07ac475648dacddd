"""Settings of risk: `[risk]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, structs

from doorward.core.model.risk import CODES, Code, Verdict
from doorward.core.model.section import Section

HOUR: Final = 3600
Hours = Annotated[int, Meta(ge=1, le=24 * 365)]
Days = Annotated[int, Meta(ge=1, le=3650)]
Number = Annotated[int, Meta(ge=1, le=1_000_000)]

_THRESHOLDS: Final[Mapping[Code, str]] = {
    "new_device": "new_device_traits",
    "new_country": "new_country_days",
    "impossible_travel": "travel_speed",
    "many_accounts_from_address": "accounts_per_address",
    "many_addresses_on_account": "addresses_per_account",
    "password_spray": "spray_misses",
    "refresh_replay": "recent_hours",
    "family_on_two_networks": "recent_hours",
    "recent_change": "recent_hours",
    "dormant_account": "dormant_days",
}


class RiskPolicy(Section, frozen=True, forbid_unknown_fields=True):
    """What becomes of a sign-in on each sign of danger, and when the sign is there.

    `mode`: `off` looks at nothing; `shadow` writes verdicts to the audit log and asks nobody; `enforce` also does what they say. Each
    setting named like a signal holds the verdict on it. `new_device_traits`: how many of network, town and kind of browser must be new
    beside the device (0 to 3). `new_country_days`: for how long a country is remembered. `travel_speed` is in km/h. `accounts_per_address`
    counts in an hour, `addresses_per_account` in a day, `spray_misses` in `throttle.window`. `recent_hours`: for how long an event matters.
    """

    mode: Literal["off", "shadow", "enforce"] = "enforce"
    new_device: Verdict = "ask_factor"
    new_country: Verdict = "ask_factor"
    impossible_travel: Verdict = "ask_factor"
    hosting_network: Verdict = "ask_factor"
    anonymous_network: Verdict = "ask_factor"
    many_accounts_from_address: Verdict = "ask_factor"
    many_addresses_on_account: Verdict = "ask_factor"
    password_spray: Verdict = "ask_factor"
    breached_password: Verdict = "ask_factor"
    refresh_replay: Verdict = "ask_factor"
    family_on_two_networks: Verdict = "ask_factor"
    recent_change: Verdict = "ask_factor"
    dormant_account: Verdict = "ask_factor"
    new_device_traits: Annotated[int, Meta(ge=0, le=3)] = 2
    new_country_days: Days = 180
    travel_speed: Annotated[int, Meta(ge=100, le=20_000)] = 1000
    accounts_per_address: Number = 10
    addresses_per_account: Number = 5
    spray_misses: Number = 4
    recent_hours: Hours = 24
    dormant_days: Days = 180

    def verdict(self, code: Code) -> Verdict:
        """What the operator wants on this signal."""
        return structs.asdict(self)[code]

    def threshold(self, code: Code) -> int:
        """The operator's number for this signal; 0 for one without a number."""
        name = _THRESHOLDS.get(code)
        return 0 if name is None else structs.asdict(self)[name]

    @property
    def harsh(self) -> tuple[Code, ...]:
        """The signals on which people are kept out."""
        return tuple(code for code in CODES if self.verdict(code) in {"refuse", "end"})
