"""Limits of device requests: whole networks, and apart from sign-ins."""

from __future__ import annotations

import pytest

from doorward.features.oauth.grants.device_code.rules.limits import NETWORK_PARTS, counted
from doorward.features.rate_limits.rules.sign_in_starts import SignInRateLimiter


def begun(limiter: SignInRateLimiter, client_id: str, address: str) -> bool:
    counters = counted(client_id, address)
    if any(limiter.full(one.who, 1000, parts=one.parts) is not None for one in counters):
        return False
    for one in counters:
        limiter.note(one.who, 1000)
    return True


@pytest.mark.requirement(34, 93)
def test_a_network_and_an_app_have_limits_of_their_own() -> None:
    limiter = SignInRateLimiter(limit=NETWORK_PARTS * 10)
    assert [begun(limiter, "app_a", "192.0.2.1") for _ in range(11)] == [True] * 10 + [False]
    assert begun(limiter, "app_a", "192.0.2.2"), "another network is not affected"
    assert not begun(limiter, "app_b", "192.0.2.1"), "another app does not help the network"
    assert limiter.full("192.0.2.1", 1000) is None, "sign-ins of the network go on"
    for number in range(3, 200):
        begun(limiter, "app_a", f"192.0.2.{number}")
    assert not begun(limiter, "app_a", "203.0.113.1"), "the app has a limit too"
    assert begun(limiter, "app_b", "203.0.113.1")


@pytest.mark.requirement(93)
def test_an_ipv6_network_counts_by_its_blocks() -> None:
    limiter = SignInRateLimiter(limit=NETWORK_PARTS * 10)
    tried = [begun(limiter, f"app_{n}", f"2001:db8:0:{n:x}::1") for n in range(400)]
    # one address of each /64: the /56 allows four times, the /48 sixteen (here twenty) times as many as one
    assert 40 <= sum(tried) <= 200
    assert all(tried[:40])
