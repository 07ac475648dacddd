"""Origin of a request."""

from __future__ import annotations

import pytest

from doorward.core.model.place import NetworkKind, Place
from doorward.core.model.risk import Whereabouts
from doorward.features.risk.rules.where import whereabouts


class Everywhere:
    """Files that know every address: what they say must not be asked of addresses that mean nothing."""

    def find(self, address: str) -> Place | None:
        assert address
        return Place("PT")

    def network(self, address: str) -> NetworkKind | None:
        return "hosting" if address == "20.1.1.9" else None


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7",
        "192.168.1.2",
        "127.0.0.1",
        "::1",
        "100.64.3.4",
        "169.254.1.1",
        "203.0.113.9",
        "fd00::1",
        "unix:",
        "",
        None,
    ],
)
def test_an_address_that_is_not_public_is_no_signal(address: str | None) -> None:
    """A private address is no signal (authentik#12214)."""
    assert whereabouts(address, Everywhere()) == Whereabouts()


def test_a_public_address_has_a_network_and_a_place() -> None:
    assert whereabouts("20.1.1.7", Everywhere()) == Whereabouts("20.1.1.0/24", Place("PT"))
    assert whereabouts("20.1.1.9", Everywhere()) == Whereabouts("20.1.1.0/24", Place("PT"), "hosting")
    assert whereabouts("2600:1:2:3::9", Everywhere()).network == "2600:1:2::/48"
    assert whereabouts("::ffff:20.1.1.7", Everywhere()).network == "20.1.1.0/24"
