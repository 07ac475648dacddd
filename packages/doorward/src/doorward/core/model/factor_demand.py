"""Stored demand for a second factor of one person."""

from __future__ import annotations

from msgspec import Struct


class FactorDemand(Struct, frozen=True, kw_only=True):
    """`asked_at` (seconds): when a requirement of a policy was first found unmet; the grace period of `second_factor.grace` counts
    from then. `postponed`: the id of the last sign-in in which the person put the enrolment off. `required_at`: when an operator
    required a second factor, with an own end of the grace period, `grace_until`."""

    account_id: str
    asked_at: int | None = None
    postponed: str | None = None
    required_at: int | None = None
    grace_until: int | None = None
