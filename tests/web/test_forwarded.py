"""Tests of the client address in a forwarding header, in every notation."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from doorward.web.forwarded import MOST_HOPS, Proxies, without_port

OURS = Proxies([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
pytestmark = pytest.mark.requirement(96)


@pytest.mark.parametrize(
    "text", ["1.2.3.4", "1.2.3.4:1", "1.2.3.4:65535", "::ffff:1.2.3.4", "[::ffff:102:304]:9"]
)
def test_every_notation_of_an_ipv4_address_gives_the_same_address(text: str) -> None:
    assert without_port(text) == ip_address("1.2.3.4")


@pytest.mark.parametrize(
    "text", ["", ":", ":80", "[", "]:80", "1.2.3:80", "1.2.3.4:80:90", "[1.2.3.4]", "a:b", "::g"]
)
def test_text_that_is_no_address_is_ignored(text: str) -> None:
    assert without_port(text) is None


def test_an_ipv6_address_without_brackets_has_no_port() -> None:
    assert without_port("2001:db8::7:443") == ip_address("2001:db8::7:443")


def test_an_overlong_header_is_not_read_to_its_end() -> None:
    many = ", ".join(["6.6.6.6", *["10.0.0.9"] * MOST_HOPS]).encode()
    assert OURS.client("10.0.0.1", [many]) == "10.0.0.1"
    assert OURS.client("10.0.0.1", [many.replace(b", 10.0.0.9", b"", 1)]) == "6.6.6.6"


def test_a_unix_socket_peer_is_trusted() -> None:
    assert Proxies([]).client("unix:", [b"203.0.113.7:51234"], believed=True) == "203.0.113.7"
    assert Proxies([]).client("unix:", [], believed=True) == "unix:"
