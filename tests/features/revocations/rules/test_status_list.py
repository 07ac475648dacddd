"""Encoding of a status list as in the draft (Token Status List)."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.revocations.rules import status_list
from doorward.features.revocations.rules.status_index import SPILL, WEEK, list_for

NOW = 1_800_000_000


def unpack(text: str) -> bytes:
    return zlib.decompress(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@pytest.mark.requirement(57)
def test_the_drafts_example_of_sixteen_statuses() -> None:
    # Token Status List §4.1: the statuses 1 0 0 1 1 1 0 1 1 1 0 0 0 1 0 1 are the bytes B9 A3.
    statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    ended = [place for place, status in enumerate(statuses) if status]
    said = status_list.claims(ended, uri="u", now=NOW, ttl=60, size=16)
    assert unpack(said["status_list"]["lst"]) == bytes.fromhex("b9a3")
    assert said["status_list"]["bits"] == 1
    assert (said["sub"], said["iat"], said["exp"], said["ttl"]) == ("u", NOW, NOW + 120, 60)


@pytest.mark.requirement(57)
@given(st.sets(st.integers(0, 1023)))
def test_every_index_is_read_back(ended: set[int]) -> None:
    said = status_list.claims(ended, uri="u", now=NOW, ttl=1, size=1024)
    held = unpack(said["status_list"]["lst"])
    assert {place for place in range(1024) if held[place >> 3] >> (place & 7) & 1} == ended


def test_only_lists_that_can_contain_a_live_grant_exist() -> None:
    this = list_for(NOW, 0)
    for number in (this, this - 4, this + SPILL):
        assert status_list.may_exist(number, longest=4 * WEEK, now=NOW)
    for number in (this + 1, this - 6, 0, this + SPILL * 1001):
        assert not status_list.may_exist(number, longest=4 * WEEK, now=NOW)
