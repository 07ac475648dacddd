"""Well-formedness of CBOR."""

from __future__ import annotations

import pytest
from fido2 import cbor as library
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.authn.factors.passkeys.rules import cbor

FLAT = st.integers(-(2**63), 2**63) | st.binary(max_size=300) | st.text(max_size=300) | st.booleans()
NESTED = st.lists(FLAT, max_size=4) | st.dictionaries(st.text(max_size=5), FLAT, max_size=4)
VALUES = FLAT | st.lists(NESTED, max_size=3) | st.dictionaries(st.integers(0, 40), NESTED, max_size=3)


@given(st.lists(VALUES, max_size=3))
def test_what_the_library_writes_is_well_formed(values: list[object]) -> None:
    written = b"".join(library.encode(value) for value in values)  # pyright: ignore[reportArgumentType]
    assert cbor.items(written) == len(values)


@pytest.mark.parametrize(
    "data",
    [
        "41",
        "6161 62",
        "18",
        "5fff",
        "9fff",
        "c100",
        "81",
        "a101",
        "1c",
        "81" * 20 + "00",
        "5bffffffffffffffff",
    ],
)
def test_anything_else_is_not(data: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        cbor.items(bytes.fromhex(data))
