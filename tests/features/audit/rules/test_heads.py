"""When a head is signed, and what it says."""

from __future__ import annotations

import pytest

from doorward.core.model.audit_chain import ChainLink
from doorward.features.audit.rules.heads import Base, claims, is_due

LAST = ChainLink(9, "aud_1", b"d", b"\x01\x02")


@pytest.mark.parametrize(
    ("now", "last", "signed", "due"),
    [
        (1000, None, (0, 0), False),
        (1000, LAST, (0, 0), True),
        (1000, LAST, (9, 0), False),
        (1000, LAST, (8, 401), False),
        (1000, LAST, (8, 400), True),
        # a head of a clock that was ahead must not stop all others
        (1000, LAST, (8, 1001), True),
    ],
)
def test_a_head_is_due_when_the_chain_has_grown_and_time_has_passed(
    now: int, last: ChainLink | None, signed: tuple[int, int], due: bool
) -> None:
    assert is_due(now, last, *signed, 600) is due


def test_the_claims_name_the_instance_the_place_and_the_beginning() -> None:
    assert claims("https://a.example", 7, LAST, Base(seq=2, hash="ab", before="aud_0")) == {
        "iss": "https://a.example",
        "iat": 7,
        "seq": 9,
        "hash": "0102",
        "base": {"seq": 2, "hash": "ab", "before": "aud_0"},
    }
