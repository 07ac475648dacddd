"""Refusal of a request about a stream."""

from __future__ import annotations


class StreamRefused(Exception):
    """`status` of HTTP, `code` for programs, and a sentence that says how to mend it. `retry_after` in seconds."""

    def __init__(self, status: int, code: str, description: str, *, retry_after: int | None = None) -> None:
        self.status = status
        self.code = code
        self.description = description
        self.retry_after = retry_after
        super().__init__(description)


def unknown_stream() -> StreamRefused:
    """No stream of this app has the id; those of others look the same."""
    return StreamRefused(404, "not_found", "This app has no stream with that stream_id.")
