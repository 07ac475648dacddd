"""Failed client authentications by address, within bounds of memory and audit log."""

from __future__ import annotations

from doorward.features.rate_limits.rules.counter import MAX_KEYS
from doorward.features.rate_limits.rules.failures import AUDITS_A_MINUTE, WINDOW, ClientAuthRateLimiter

NOW = 1_800_000_000


def test_waiting_starts_at_the_limit_and_ends_with_the_window() -> None:
    failures = ClientAuthRateLimiter(per_address=3)
    assert [failures.note("192.0.2.1", NOW).retry_at for _ in range(5)] == [
        None,
        None,
        None,
        NOW + WINDOW,
        NOW + WINDOW,
    ]
    assert failures.note("192.0.2.2", NOW).retry_at is None
    again = failures.note("192.0.2.1", NOW + WINDOW)
    assert (again.count, again.retry_at) == (1, None)


def test_only_powers_of_two_are_audited() -> None:
    failures = ClientAuthRateLimiter(per_address=3)
    written = [number for number in range(1, 1025) if failures.note("192.0.2.1", NOW).audit]
    assert written == [2**power for power in range(11)]


def test_the_audit_log_grows_slowly_however_many_addresses_try() -> None:
    failures = ClientAuthRateLimiter(per_address=3)
    written = sum(failures.note(f"10.0.{n >> 8}.{n & 255}", NOW).audit for n in range(5000))
    assert written == AUDITS_A_MINUTE
    assert failures.note("192.0.2.9", NOW + 60).audit


def test_memory_is_bounded_and_the_oldest_address_goes_first() -> None:
    failures = ClientAuthRateLimiter(per_address=1)
    failures.note("192.0.2.1", NOW)
    for number in range(MAX_KEYS):
        failures.note(f"a{number}", NOW)
    assert failures.note("192.0.2.1", NOW).count == 1
    assert failures.note(f"a{MAX_KEYS - 1}", NOW).count == 2


def test_a_subscribers_ipv6_network_counts_as_one_address() -> None:
    failures = ClientAuthRateLimiter(per_address=1)
    failures.note("2001:db8:1:2::1", NOW)
    assert failures.note("2001:db8:1:2:ffff::9", NOW).count == 2
    assert failures.note("2001:db8:1:3::1", NOW).count == 1
    assert failures.note("not:an:address", NOW).count == 1


def test_ipv4_mapped_addresses_are_counted_separately() -> None:
    failures = ClientAuthRateLimiter(per_address=1)
    assert failures.note("::ffff:192.0.2.1", NOW).count == 1
    assert failures.note("::ffff:198.51.100.1", NOW).count == 1
    assert failures.note("192.0.2.1", NOW).count == 2


def test_a_subscriber_with_many_ipv6_networks_is_stopped_by_the_larger_blocks() -> None:
    failures = ClientAuthRateLimiter(per_address=2)
    notes = [failures.note(f"2001:db8:1:{number:x}::1", NOW).retry_at for number in range(9)]
    # each /64 fails once; their common /56 may fail four times as often as one address
    assert notes == [None] * 8 + [NOW + WINDOW]
    wider = ClientAuthRateLimiter(per_address=1)
    notes = [wider.note(f"2001:db8:1:{number:x}00::1", NOW).retry_at for number in range(17)]
    assert notes == [None] * 16 + [NOW + WINDOW]
