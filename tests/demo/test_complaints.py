"""Filter for log lines that reach the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward_demo.dev.complaints import Complaints, complaint


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "INFO requests: GET '/' 200",
        "WARNING something: slow",
        '{"event": "server.ready", "level": "info"}',
        '{"event": "request.refused", "level": "warning", "reason": "a spent token"}',
    ],
)
def test_ordinary_lines_stay_in_the_file(line: str) -> None:
    assert complaint(line) is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "ERROR uvicorn.error: Exception in ASGI application",
            "ERROR uvicorn.error: Exception in ASGI application",
        ),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ('{"event": "boom", "level": "error", "timestamp": "t", "path": "/token"}', "boom path=/token"),
        ("{not json", "{not json"),
        ('["a", "list"]', '["a", "list"]'),
    ],
)
def test_other_lines_reach_the_terminal(line: str, shown: str) -> None:
    assert complaint(line) == shown


def test_each_line_is_read_once_and_only_when_complete(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ERROR one\nINFO x: two\nERROR thr")
    complaints = Complaints(log)
    assert complaints.new() == ["ERROR one"]
    assert complaints.new() == []
    with log.open("a") as file:
        file.write("ee\nERROR four\n")
    assert complaints.new() == ["ERROR three", "ERROR four"]
    assert complaints.new() == []
