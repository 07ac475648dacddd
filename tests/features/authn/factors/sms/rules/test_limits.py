"""Limits of text messages: how many an attacker can cause with many accounts, numbers, devices and networks."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec import structs

from doorward.core.model.bucket import Bucket
from doorward.features.authn.factors.sms.rules import limits
from doorward.features.authn.factors.sms.rules.limits import (
    of_country,
    of_enrolment,
    of_message,
    of_owners,
    suspicious,
)
from doorward.features.authn.factors.sms.rules.phone import Phone
from doorward.features.authn.factors.sms.settings import SmsPolicy

POLICY = SmsPolicy(countries=("DE", "GB"))
PHONE = Phone("+491712345678", "DE", 49)
NOW = 1_800_000_000


class Counted:
    """Counters that never end, as within one window."""

    def __init__(self) -> None:
        self.tries: Counter[str] = Counter()

    def take(self, buckets: tuple[Bucket, ...]) -> bool:
        if any(self.tries[bucket.key] >= bucket.limit for bucket in buckets):
            return False
        self.tries.update(bucket.key for bucket in buckets)
        return True


def plain(text: str) -> str:
    return text


def enrolment(phone: Phone = PHONE, account: str = "usr_1", address: str = "192.0.2.1") -> tuple[Bucket, ...]:
    return of_enrolment(phone, account_id=account, address=address, policy=POLICY, tag=plain)


def message(account: str = "usr_1", device: bytes | None = None) -> tuple[Bucket, ...]:
    return of_message(PHONE, account_id=account, known_device=device, policy=POLICY, tag=plain)


def number(at: int, prefix: str = "+4917123") -> Phone:
    return Phone(f"{prefix}{at:05d}", "DE", 49)


@pytest.mark.requirement(93)
def test_ten_thousand_numbers_of_one_range_get_twenty_messages() -> None:
    counters = Counted()
    sent = [
        counters.take(enrolment(number(at), f"usr_{at}", f"192.0.{at // 250}.{at % 250}"))
        for at in range(10_000)
    ]
    assert sum(sent) == POLICY.per_prefix_hour == 20


@pytest.mark.requirement(93)
def test_many_ranges_of_one_country_get_its_limit() -> None:
    counters = Counted()
    sent = [
        counters.take(
            enrolment(number(at % 100, f"+49{1700000 + at}"), f"usr_{at}", f"192.0.{at // 250}.{at % 250}")
        )
        for at in range(10_000)
    ]
    assert sum(sent) == POLICY.per_country_hour == 200
    other = Phone("+447400123456", "GB", 44)
    assert counters.take(enrolment(other, "usr_x", "198.51.100.1")), "another country is not affected"


@pytest.mark.requirement(93)
def test_one_number_gets_few_messages_from_many_accounts() -> None:
    counters = Counted()
    sent = [counters.take(enrolment(PHONE, f"usr_{at}", f"192.0.2.{at % 250}")) for at in range(1000)]
    assert sum(sent) == limits.PER_NUMBER == 3


@pytest.mark.requirement(93)
def test_one_account_gets_few_messages_to_many_numbers() -> None:
    counters = Counted()
    phones = [number(at, f"+49{1700000 + at}") for at in range(1000)]
    sent = [
        counters.take(enrolment(phone, "usr_1", f"192.0.2.{at % 250}")) for at, phone in enumerate(phones)
    ]
    assert sum(sent) == limits.PER_ACCOUNT == 5


@pytest.mark.requirement(96)
@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("192.0.2.1", 10),
        ("2001:db8:0:0:{}::1", 10),
        ("2001:db8:0:{:x}::1", 40),
        ("2001:db8:0:{:x}00::1", 160),
    ],
)
def test_one_network_adds_few_numbers(address: str, most: int) -> None:
    counters = Counted()
    sent = [
        counters.take(enrolment(number(at, f"+49{1700000 + at}"), f"usr_{at}", address.format(at % 256)))
        for at in range(1000)
    ]
    assert sum(sent) == most


@pytest.mark.requirement(95)
def test_attempts_elsewhere_do_not_keep_an_owner_on_a_known_device_from_a_message() -> None:
    counters = Counted()
    while counters.take(message()):
        pass
    for at in range(2000):
        counters.take(enrolment(number(at), f"usr_{at}", f"192.0.{at // 250}.{at % 250}"))
        counters.take(enrolment(PHONE, f"usr_{at}", f"192.1.{at // 250}.{at % 250}"))
    assert not counters.take(message())
    assert counters.take(message(device=b"mine"))


@pytest.mark.requirement(93)
def test_many_known_devices_are_no_way_around_the_days_limit() -> None:
    counters = Counted()
    sent = [counters.take(message(device=at.to_bytes(4, "big"))) for at in range(1000)]
    assert sum(sent) == POLICY.per_number_day * limits.SPREAD == 40


def test_no_counter_names_a_number_or_an_account() -> None:
    def tag(text: str) -> str:
        return str(hash(text))

    buckets = of_enrolment(PHONE, account_id="usr_1", address="192.0.2.1", policy=POLICY, tag=tag)
    assert not any("49171" in bucket.key or "usr_" in bucket.key for bucket in buckets)
    assert len({bucket.key for bucket in buckets}) == len(buckets)


def test_a_number_becomes_a_factor_a_few_times_a_month() -> None:
    bucket = of_owners(PHONE.e164, tag=plain)
    assert (bucket.limit, bucket.window) == (5, 30 * 86_400)


@pytest.mark.parametrize(
    ("sent", "proven", "found"),
    [(0, 0, False), (19, 0, False), (20, 3, True), (20, 4, False), (200, 39, True), (200, 40, False)],
)
@pytest.mark.requirement(93)
def test_a_country_whose_messages_nobody_reads_is_suspicious(sent: int, proven: int, found: bool) -> None:
    counters = of_country("DE", NOW, tag=plain)
    assert suspicious([(counters[0], sent, NOW), (counters[1], proven, NOW), (counters[2], 0, NOW)]) is found


def test_the_ratio_of_a_country_is_of_one_hour() -> None:
    first, later = of_country("DE", NOW, tag=plain), of_country("DE", NOW + 3600, tag=plain)
    assert first[:2] != later[:2]
    assert first[2] == later[2], "a pause lasts on"
    assert of_country("GB", NOW, tag=plain)[2] != first[2]


def test_the_limits_are_the_operators() -> None:
    strict = structs.replace(POLICY, per_number_day=1, per_prefix_hour=1, per_country_hour=1)
    counters = Counted()
    mine = of_enrolment(PHONE, account_id="usr_1", address="192.0.2.1", policy=strict, tag=plain)
    assert counters.take(mine)
    assert not counters.take(mine)
