"""Limit on unfinished sign-ins that a stranger can start."""

from __future__ import annotations

from doorward.features.rate_limits.rules.counter import MAX_KEYS
from doorward.features.rate_limits.rules.sign_in_starts import SESSIONS, WINDOW, SignInRateLimiter

NOW = 1_800_000_000


def test_starts_of_an_address_are_limited_until_the_window_ends() -> None:
    begun = SignInRateLimiter(limit=3)
    for second in range(3):
        assert begun.full("192.0.2.1", NOW + second) is None
        begun.note("192.0.2.1", NOW + second)
    assert begun.full("192.0.2.1", NOW + 3) == NOW + WINDOW
    assert begun.full("192.0.2.2", NOW + 3) is None
    assert begun.full("192.0.2.1", NOW + WINDOW) is None
    begun.note("192.0.2.1", NOW + WINDOW)
    assert begun.full("192.0.2.1", NOW + WINDOW) is None


def test_a_session_may_begin_a_part() -> None:
    begun = SignInRateLimiter(limit=2 * SESSIONS)
    for _ in range(2):
        assert begun.full("session ses_1", NOW, parts=SESSIONS) is None
        begun.note("session ses_1", NOW)
    assert begun.full("session ses_1", NOW, parts=SESSIONS) == NOW + WINDOW
    assert begun.full("session ses_2", NOW, parts=SESSIONS) is None
    assert begun.full("session ses_1", NOW) is None


def test_one_ipv6_network_is_one_address() -> None:
    begun = SignInRateLimiter(limit=2)
    begun.note("2001:db8::1", NOW)
    begun.note("2001:db8::2", NOW)
    assert begun.full("2001:db8:0:0:ffff::3", NOW) == NOW + WINDOW
    assert begun.full("2001:db8:0:1::1", NOW) is None


def test_the_counter_is_bounded() -> None:
    begun = SignInRateLimiter(limit=2)
    for number in range(MAX_KEYS + 100):
        begun.note(f"a{number}", NOW)
    assert len(begun.counter) == MAX_KEYS


def test_a_larger_ipv6_block_may_start_more_within_a_bound() -> None:
    begun = SignInRateLimiter(limit=1)
    for number in range(4):
        assert begun.full(f"2001:db8:1:{number:x}::1", NOW) is None
        begun.note(f"2001:db8:1:{number:x}::1", NOW)
    assert begun.full("2001:db8:1:9::1", NOW) == NOW + WINDOW
    assert begun.full("2001:db8:1:900::1", NOW) is None
