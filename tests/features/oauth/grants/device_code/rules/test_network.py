"""Whether a device is in the network of the person's browser."""

from __future__ import annotations

import pytest

from doorward.features.oauth.grants.device_code.rules.network import same


@pytest.mark.requirement(34)
@pytest.mark.parametrize(
    ("device", "browser", "expected"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::3", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::3", "2001:db8:1:3::3", False),
        ("192.0.2.1", "2001:db8::1", None),
        ("", "192.0.2.1", None),
    ],
)
def test_networks_are_compared_where_they_can_be(device: str, browser: str, expected: bool | None) -> None:
    assert same(device, browser) is expected
