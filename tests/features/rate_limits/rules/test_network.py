"""Networks of subscribers: all addresses of one subscriber count as one."""

from __future__ import annotations

import pytest

from doorward.features.rate_limits.rules.network import Block, blocks, network, site

MAPPED = (
    "::ffff:192.0.2.7",
    "::FFFF:192.0.2.7",
    "::ffff:c000:207",
    "::ffff:c000:0207",
    "0:0:0:0:0:ffff:c000:207",
    "0000:0000:0000:0000:0000:ffff:192.0.2.7",
    "::ffff:192.0.2.7%eth0",
)
"""The same IPv4 address, as sockets and proxies write it."""


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0db8:0001:0002::1", "2001:db8:1:2::/64"),
        ("2001:DB8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        *((spelled, "192.0.2.7") for spelled in MAPPED),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_household_is_one_address(address: str, name: str) -> None:
    assert network(address) == name


@pytest.mark.requirement(96)
def test_a_larger_block_has_a_higher_limit_but_not_in_proportion_to_its_size() -> None:
    assert blocks("2001:db8:1:2ff:3::4") == (
        Block("2001:db8:1:2ff::/64", 1),
        Block("2001:db8:1:200::/56", 4),
        Block("2001:db8:1::/48", 16),
    )
    for spelled in ("192.0.2.7", *MAPPED):
        assert blocks(spelled) == (Block("192.0.2.7", 1),)


def test_a_mail_requester_is_an_ipv4_address_or_an_ipv6_site() -> None:
    assert site("2001:db8:1:2::3") == site("2001:db8:1:ffff::9") == "2001:db8:1::/48"
    assert site("::ffff:192.0.2.7") == "192.0.2.7"
