"""May this person try once more? Throttling that an attacker cannot use to lock somebody out (NIST SP 800-63B-4 §3.2.2, line 81)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.model.bucket import Bucket, Counted
from doorward.model.policy import ThrottlePolicy
from doorward.rules.identify.network import network

DAY: Final = 86_400
DAILY: Final = 10
"""The day's limit, in windows' worth: at the defaults 100 wrong passwords and 50 wrong codes (§3.2.2 allows no more than 100 in a row)."""

MAIL_SPREAD: Final = 4
"""How many times the mails that one requester may cause an address may get from all requesters together."""

Tag = Callable[[str], str]
"""A keyed hash, so that the counters name no one to a reader of the database."""

Guessed = Literal["password", "code", "mail_code"]


class Wait(Struct, frozen=True):
    """Too many tries; the next one is looked at from `until` on (seconds since the epoch)."""

    until: int


def of_person(
    guessed: Guessed, who: str, *, trusted_device: bytes | None, policy: ThrottlePolicy, tag: Tag
) -> tuple[Bucket, ...]:
    """The counters of one person's secret. `who` is whatever was typed, so that unknown people have counters too (line 80).

    A device on which this person signed in before has counters of its own: whoever fills the others from elsewhere does not
    keep the owner out. Codes share one counter across all sign-ins and sessions (ASVS 6.5.1, line 82).
    """
    if trusted_device is not None:
        where, limit = f"device:{trusted_device.hex()}", policy.per_device
    else:
        where, limit = "elsewhere", policy.per_account
    if guessed != "password":
        limit = policy.per_code
    key = f"{guessed}:{where}:{who}"
    return (
        Bucket(tag(key), limit, policy.window),
        Bucket(tag(f"day:{key}"), limit * DAILY, max(DAY, policy.window)),
    )


def of_address(address: str, *, policy: ThrottlePolicy, tag: Tag) -> Bucket:
    """The counter of wrong guesses from one network address, whoever they were aimed at (password spraying).

    An IPv6 address counts by its /64: that is what one household or one rented machine has to itself.
    """
    return Bucket(tag(f"address:{network(address)}"), policy.per_address, policy.window)


def of_estimates(address: str, *, policy: ThrottlePolicy, tag: Tag) -> Bucket:
    """The counter of estimates, some 50 ms of the interpreter each, that strangers at one address may cause: no guess is made
    with them, so that who signs up with a weak password for the fifth time does not use up their tries at signing in."""
    return Bucket(tag(f"estimates:{network(address)}"), policy.per_address, policy.window)


def of_mail(
    email: str, address: str, *, trusted_device: bytes | None, policy: ThrottlePolicy, tag: Tag
) -> tuple[Bucket, ...]:
    """The counters of mails that we may be made to send: to one address for one requester, and for all of them together."""
    if trusted_device is not None:
        return (
            Bucket(
                tag(f"mail:device:{trusted_device.hex()}:{email}"), policy.mails_per_address, policy.window
            ),
        )
    return (
        Bucket(tag(f"mail:from:{network(address)}:{email}"), policy.mails_per_address, policy.window),
        Bucket(tag(f"mail:to:{email}"), policy.mails_per_address * MAIL_SPREAD, policy.window),
        Bucket(tag(f"mail:by:{network(address)}"), policy.per_address, policy.window),
    )


def full(counted: Sequence[Counted], now: int) -> Wait | None:
    """Given (bucket, tries in its running window, end of that window): whether one more would be too many."""
    ends = [end for bucket, tries, end in counted if tries >= bucket.limit and bucket.runs(end, now)]
    return Wait(max(ends)) if ends else None
