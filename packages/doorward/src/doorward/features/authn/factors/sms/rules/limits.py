"""Limits of text messages: all are counted before a message is written (SMS toll fraud, R93).

Whoever sends a message to a number that earns money for its owner takes it from the operator. So the limits are by
number, account, network, number range and country, and those for a number that nobody has proven yet are the strictest.
A message to a proven number is not stopped by what strangers do: their attempts fill other counters (R95).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.core.model.bucket import Bucket, Counted
from doorward.features.authn.factors.sms.rules.phone import Phone
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.rate_limits.rules.attempts import DAY, Tag
from doorward.features.rate_limits.rules.network import blocks

WINDOW: Final = 900
HOUR: Final = 3600
PER_NUMBER: Final = 3
PER_ACCOUNT: Final = 5
PER_NETWORK: Final = 10
SPREAD: Final = 4
"""Messages a day to one number from all devices, as a multiple of those from one."""
OWNERS: Final = 5
"""How often one number may become a factor in `OWNERS_WINDOW`."""
OWNERS_WINDOW: Final = 30 * DAY
LEAST_SENT: Final = 20
LEAST_PROVEN: Final = 5
"""Of `LEAST_SENT` messages or more in an hour to new numbers of a country, one in `LEAST_PROVEN` must have come back as a
code; else nobody in that country can add a number for an hour."""


def of_message(
    phone: Phone, *, account_id: str, known_device: bytes | None, policy: SmsPolicy, tag: Tag
) -> tuple[Bucket, ...]:
    """The counters of a message to a number that its owner has proven. A device known to the account has its own."""
    where = "elsewhere" if known_device is None else f"device:{known_device.hex()}"
    return (
        *_of_number(phone, where, account_id, policy, tag),
        Bucket(tag(f"sms:country:known:{phone.country}"), policy.per_country_hour, HOUR),
    )


def of_enrolment(
    phone: Phone, *, account_id: str, address: str, policy: SmsPolicy, tag: Tag
) -> tuple[Bucket, ...]:
    """The counters of a message to a number that nobody has proven. No device is known here: whoever wants to send many
    messages makes accounts, and brings as many devices."""
    return (
        *_of_number(phone, "elsewhere", account_id, policy, tag),
        Bucket(tag(f"sms:country:new:{phone.country}"), policy.per_country_hour, HOUR),
        Bucket(tag(f"sms:prefix:{phone.prefix}"), policy.per_prefix_hour, HOUR),
        *(
            Bucket(tag(f"sms:network:{block.name}"), PER_NETWORK * block.times, HOUR)
            for block in blocks(address)
        ),
    )


def _of_number(phone: Phone, where: str, account_id: str, policy: SmsPolicy, tag: Tag) -> tuple[Bucket, ...]:
    return (
        Bucket(tag(f"sms:number:{where}:{phone.e164}"), PER_NUMBER, WINDOW),
        Bucket(tag(f"sms:number:day:{where}:{phone.e164}"), policy.per_number_day, DAY),
        Bucket(tag(f"sms:number:all:{phone.e164}"), policy.per_number_day * SPREAD, DAY),
        Bucket(tag(f"sms:account:{where}:{account_id}"), PER_ACCOUNT, WINDOW),
    )


def of_owners(e164: str, *, tag: Tag) -> Bucket:
    """The counter of accounts that have taken a number as a factor."""
    return Bucket(tag(f"sms:owners:{e164}"), OWNERS, OWNERS_WINDOW)


def of_country(country: str, now: int, *, tag: Tag) -> tuple[Bucket, Bucket, Bucket]:
    """The counters of the guard of a country, for this hour: messages to new numbers, new numbers proven, and whether it is
    paused. The first two belong to the same hour of the clock, so that their ratio means something."""
    hour = now // HOUR
    return (
        Bucket(tag(f"sms:sent:{country}:{hour}"), 1_000_000_000, HOUR),
        Bucket(tag(f"sms:proven:{country}:{hour}"), 1_000_000_000, HOUR),
        Bucket(tag(f"sms:paused:{country}"), 1, HOUR),
    )


def suspicious(counted: Sequence[Counted]) -> bool:
    """From the counts of `of_country`: whether so few codes come back that nobody seems to read the messages."""
    (_, sent, _), (_, proven, _), _ = counted
    return sent >= LEAST_SENT and proven * LEAST_PROVEN < sent
