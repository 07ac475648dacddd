"""What a receiver asks for its stream; that bad requests are refused is tested over HTTP (`test_routes.py`)."""

from __future__ import annotations

import pytest

from doorward.features.security_events.rules.stream_request import (
    MAX_STATE,
    POLL,
    PUSH,
    SUPPORTED,
    BadStream,
    Wishes,
    header_fits,
    push_problem,
    state_wish,
    status_wish,
    wishes,
)


def test_what_is_not_said_is_not_wished() -> None:
    assert wishes({}, development=False) == Wishes()
    poll = wishes(
        {"delivery": {"method": POLL, "endpoint_url": "https://elsewhere.example"}}, development=False
    )
    assert poll == Wishes(delivery=True)


def test_unknown_events_are_left_out() -> None:
    asked = [SUPPORTED[1], "https://example.com/other", SUPPORTED[0]]
    assert wishes({"events_requested": asked}, development=False).events == (
        "session-revoked",
        "credential-change",
    )


def test_http_is_for_this_machine_in_development() -> None:
    there = {"delivery": {"method": PUSH, "endpoint_url": "http://localhost:9000/e"}}
    assert wishes(there, development=True).push_to == "http://localhost:9000/e"
    with pytest.raises(BadStream, match="https"):
        wishes(there, development=False)
    assert push_problem("http://shop.example/e", development=True) == "does not begin with https://"
    assert push_problem("https://shop.example/e", development=False) is None


@pytest.mark.parametrize(
    "url", ["https://shop.example/é", "https://shop.example/#a", "https://", "https://x:y/"]
)
def test_what_is_no_address(url: str) -> None:
    assert push_problem(url, development=False) is not None


def test_a_header_has_no_line_break() -> None:
    assert header_fits("Bearer abc")
    assert not any(header_fits(bad) for bad in ("", "a\nb", "a\rb", "a\x7fb", "é", "x" * 4001))


def test_status_and_state() -> None:
    assert status_wish({"status": "paused", "reason": "x"}) == ("paused", "x")
    assert state_wish({"state": "x" * MAX_STATE}) == "x" * MAX_STATE
    assert state_wish({}) is None
    with pytest.raises(BadStream, match="enabled, paused, disabled"):
        status_wish({})
    with pytest.raises(BadStream, match="state"):
        state_wish({"state": "x" * (MAX_STATE + 1)})
