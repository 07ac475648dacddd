"""Capture of log events in a test, independent of the level that an earlier test on the same worker has set."""

from __future__ import annotations

from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from typing import Any

from structlog.testing import capture_logs

from doorward.adapters import logs


@contextmanager
def captured() -> Generator[list[MutableMapping[str, Any]]]:
    """The events, as dictionaries."""
    # a command that ran in this process has set the log level of commands
    logs.configure("info", "json")
    with capture_logs() as lines:
        yield lines
