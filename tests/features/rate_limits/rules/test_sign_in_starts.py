"""How many sign-ins may a stranger leave lying?"""

from __future__ import annotations

from doorward.features.rate_limits.rules.counter import MAX_KEYS
from doorward.features.rate_limits.rules.sign_in_starts import WINDOW, Begun

NOW = 1_800_000_000


def test_an_address_may_begin_so_many_and_goes_on_after_the_window() -> None:
    begun = Begun(limit=3)
    for second in range(3):
        assert begun.full("192.0.2.1", NOW + second) is None
        begun.note("192.0.2.1", NOW + second)
    assert begun.full("192.0.2.1", NOW + 3) == NOW + WINDOW
    assert begun.full("192.0.2.2", NOW + 3) is None
    assert begun.full("192.0.2.1", NOW + WINDOW) is None
    begun.note("192.0.2.1", NOW + WINDOW)
    assert begun.full("192.0.2.1", NOW + WINDOW) is None


def test_one_network_of_ipv6_is_one_address() -> None:
    begun = Begun(limit=2)
    begun.note("2001:db8::1", NOW)
    begun.note("2001:db8::2", NOW)
    assert begun.full("2001:db8:0:0:ffff::3", NOW) == NOW + WINDOW
    assert begun.full("2001:db8:0:1::1", NOW) is None


def test_the_count_itself_has_an_end() -> None:
    begun = Begun(limit=2)
    for number in range(MAX_KEYS + 100):
        begun.note(f"a{number}", NOW)
    assert len(begun.tally) == MAX_KEYS


def test_a_larger_block_of_ipv6_may_begin_more_but_not_without_end() -> None:
    begun = Begun(limit=1)
    for number in range(4):
        assert begun.full(f"2001:db8:1:{number:x}::1", NOW) is None
        begun.note(f"2001:db8:1:{number:x}::1", NOW)
    assert begun.full("2001:db8:1:9::1", NOW) == NOW + WINDOW
    assert begun.full("2001:db8:1:900::1", NOW) is None
