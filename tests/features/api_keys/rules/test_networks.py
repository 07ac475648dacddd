"""Networks of API keys: spelling, slips, and addresses inside others."""

from __future__ import annotations

import pytest

from doorward.features.api_keys.rules.networks import parse, within


def test_networks_are_kept_in_one_spelling() -> None:
    given = ("192.0.2.7", " 198.51.100.0/24 ", "2001:DB8:0::/48", "192.0.2.7/32")
    assert parse(given) == ("192.0.2.7/32", "198.51.100.0/24", "2001:db8::/48")
    assert parse(()) == ()


@pytest.mark.parametrize("text", ["192.0.2.7/24", "192.0.2", "example.com", "", "0x7f.1", "192.0.2.0/33"])
def test_a_slip_is_named(text: str) -> None:
    assert parse(("192.0.2.1", text)) == text


def test_an_address_belongs_to_a_network_whatever_its_form() -> None:
    networks = ("192.0.2.0/24", "2001:db8::/48")
    for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8:0:1::1"):
        assert within(address, networks), address
    for address in ("192.0.3.1", "::ffff:192.0.3.1", "2001:db8:1::1", "::192.0.2.1", "", "x", "192.0.2.1, 1"):
        assert not within(address, networks), address
        assert within(address, ())
