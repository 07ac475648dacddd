"""Elements of DER."""

from __future__ import annotations

import pytest

from doorward.features.authn.factors.passkeys.rules import der


def test_elements_of_der() -> None:
    assert der.elements(bytes.fromhex("0201 05 bf8458 03 020100".replace(" ", ""))) == [
        (2, b"\x05"),
        (600, bytes.fromhex("020100")),
    ]
    assert der.elements(bytes.fromhex("048103616263")) == [(4, b"abc")]
    for broken in ("02", "0205", "020501", "0482ff"):
        with pytest.raises((ValueError, IndexError)):
            der.elements(bytes.fromhex(broken))
