"""Which IP addresses can say where somebody is."""

from __future__ import annotations

import pytest

from doorward.core.model.place import public_address


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "fe80::1%eth0",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.2.7",
        "198.51.100.7",
        "203.0.113.7",
        "2001:db8::7",
        "3fff::1",
        "198.18.0.1",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "224.0.0.1",
        "240.0.0.1",
        "0.0.0.0",
        "::",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::1",
        "2001:0:1::1",
        "unix:",
        "",
        "nowhere",
        "81.2.69.142:443",
    ],
)
def test_an_address_that_is_not_public_is_no_address_of_a_place(text: str) -> None:
    """Private, shared, documentation and local addresses are no signal (authentik#12214)."""
    assert public_address(text) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("81.2.69.142", "81.2.69.142"),
        ("2a02:6b8::1", "2a02:6b8::1"),
        ("::ffff:81.2.69.142", "81.2.69.142"),
        ("64:ff9b::81.2.69.142", "81.2.69.142"),
        ("2002:5102:458e::1", "81.2.69.142"),
        ("100.63.255.255", "100.63.255.255"),
        ("100.128.0.0", "100.128.0.0"),
    ],
)
def test_a_public_address_is_read_in_each_of_its_forms(text: str, address: str) -> None:
    assert str(public_address(text)) == address
