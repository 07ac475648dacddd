"""What becomes of a push, and when the next one is tried."""

from __future__ import annotations

import pytest

from doorward.features.security_events.rules.delivery import PAUSES, Outcome, error_code, outcome, pause


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, b"", Outcome.ACCEPTED),
        (200, b"hello", Outcome.ACCEPTED),
        (204, b"", Outcome.ACCEPTED),
        (400, b'{"err":"invalid_request","description":"no"}', Outcome.REFUSED),
        (400, b'{"err":"invalid_audience"}', Outcome.LATER),
        (400, b"invalid_request", Outcome.LATER),
        (400, b"[" * 100_000, Outcome.LATER),
        (301, b"", Outcome.LATER),
        (503, b'{"err":"invalid_request"}', Outcome.LATER),
    ],
)
def test_outcomes(status: int, body: bytes, expected: Outcome) -> None:
    assert outcome(status, body) is expected


def test_an_error_code_is_a_word() -> None:
    assert error_code(b'{"err":"invalid_key"}') == "invalid_key"
    assert error_code(b'{"err":"a b"}') is error_code(b'{"err":5}') is error_code(b"[]") is None


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    assert [pause(n) for n in range(1, len(PAUSES) + 1)] == list(PAUSES)
    assert pause(1000) == 900
    assert pause(0) == PAUSES[0]
