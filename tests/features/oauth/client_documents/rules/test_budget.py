"""Limits of fetches: by network, host and in total."""

from __future__ import annotations

import pytest

from doorward.features.oauth.client_documents.rules.budget import (
    PER_HOST,
    PER_NETWORK,
    TOTAL,
    of_fetch,
    of_host,
)

pytestmark = pytest.mark.requirement(93)


def test_the_counters_of_a_fetch() -> None:
    buckets = of_fetch("https://a.example/x", "192.0.2.1", tag=str)
    assert [bucket.limit for bucket in buckets] == [PER_NETWORK, PER_HOST, TOTAL]
    wide = of_fetch("https://a.example/x", "2001:db8::1", tag=str)
    assert [bucket.limit for bucket in wide] == [
        PER_NETWORK,
        PER_NETWORK * 4,
        PER_NETWORK * 16,
        PER_HOST,
        TOTAL,
    ]


def test_all_addresses_of_one_host_share_its_counter() -> None:
    one, two = of_host("https://a.example/x", tag=str), of_host("https://a.example:8443/y?z", tag=str)
    assert one == two != of_host("https://b.example/x", tag=str)
