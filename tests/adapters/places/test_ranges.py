"""Ranges of addresses against a search through all of them."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.adapters.places import ranges
from doorward.adapters.places.ranges import AddressRanges, BadTable, Range, number

ENDS = st.integers(0, 40)


def slowly(entries: list[Range], wanted: int) -> str | None:
    """The label of the range that begins last, and of those the narrowest."""
    holding = [entry for entry in entries if entry[0] <= wanted <= entry[1]]
    return max(holding, key=lambda entry: (entry[0], -entry[1]), default=(0, 0, None))[2]


@given(st.dictionaries(st.tuples(ENDS, ENDS).map(sorted).map(tuple), st.sampled_from("ABCDEF")))
def test_the_more_precise_range_counts(entries: dict[tuple[int, int], str]) -> None:
    found = [(first, last, label) for (first, last), label in entries.items()]
    held = AddressRanges(found)
    for wanted in range(43):
        assert held.label(IPv6Address(wanted)) == slowly(found, wanted), wanted


def test_both_kinds_of_addresses_have_their_place() -> None:
    v4, v6 = ip_address("81.2.69.142"), ip_address("2a02:6b8::1")
    held = AddressRanges([(number(v4), number(v4), "GB"), (number(v6), number(v6), "RU")])
    assert [held.label(v4), held.label(v6)] == ["GB", "RU"]
    assert held.label(ip_address("::5102:458e")) is None
    assert held.label(ip_address("ff00::1")) is None
    assert held.label(ip_address("0.0.0.0")) is None
    assert len(held) == 2


def test_an_empty_table_holds_nothing() -> None:
    assert AddressRanges([]).label(ip_address("81.2.69.142")) is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MOST_RANGES", 3)
    assert len(AddressRanges([(at, at, "GB") for at in range(3)])) == 3
    with pytest.raises(BadTable, match="more than 3 ranges"):
        AddressRanges((at, at, "GB") for at in range(4))
