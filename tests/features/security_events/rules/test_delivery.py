"""What becomes of a push, and when the next one is tried."""

from __future__ import annotations

import pytest

from doorward.features.security_events.rules.delivery import PAUSES, PushOutcome, error_code, outcome, pause


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, b"", PushOutcome.ACCEPTED),
        (200, b"hello", PushOutcome.ACCEPTED),
        (204, b"", PushOutcome.ACCEPTED),
        (400, b'{"err":"invalid_request","description":"no"}', PushOutcome.REFUSED),
        (400, b'{"err":"invalid_audience"}', PushOutcome.LATER),
        (400, b"invalid_request", PushOutcome.LATER),
        (400, b"[" * 100_000, PushOutcome.LATER),
        (301, b"", PushOutcome.LATER),
        (503, b'{"err":"invalid_request"}', PushOutcome.LATER),
    ],
)
def test_outcomes(status: int, body: bytes, expected: PushOutcome) -> None:
    assert outcome(status, body) is expected


def test_an_error_code_is_a_word() -> None:
    assert error_code(b'{"err":"invalid_key"}') == "invalid_key"
    assert error_code(b'{"err":"a b"}') is error_code(b'{"err":5}') is error_code(b"[]") is None


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    assert [pause(n) for n in range(1, len(PAUSES) + 1)] == list(PAUSES)
    assert pause(1000) == 900
    assert pause(0) == PAUSES[0]
