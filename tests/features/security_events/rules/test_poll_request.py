"""A poll for events (RFC 8936 §2.2)."""

from __future__ import annotations

import pytest

from doorward.features.security_events.rules.poll_request import MOST, Poll, poll


def test_an_empty_request_waits_for_as_many_as_there_may_be() -> None:
    assert poll({}) == Poll(most=MOST, wait=True, accepted=(), refused={})


@pytest.mark.parametrize(
    ("document", "most", "wait"),
    [
        ({"maxEvents": 5}, 5, True),
        ({"maxEvents": 10**9}, MOST, True),
        ({"maxEvents": 0}, 0, False),
        ({"returnImmediately": True}, MOST, False),
    ],
)
def test_how_much_and_how_long(document: dict[str, object], most: int, wait: bool) -> None:
    found = poll(document)
    assert (found.most, found.wait) == (most, wait)


def test_only_the_code_of_an_error_is_kept() -> None:
    errors = {"a": {"err": "invalid_key", "description": "x\ny"}, "b": {"err": "x\ny"}, "c": "text"}
    found = poll({"ack": ["d"], "setErrs": errors})
    assert found.accepted == ("d",)
    assert found.refused == {"a": "invalid_key", "b": "without a code", "c": "without a code"}
