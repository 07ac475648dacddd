"""A task that is cancelled ends."""

from __future__ import annotations

from tests.repository import tree


def test_no_time_limit_can_swallow_a_cancellation() -> None:
    """`asyncio.wait_for` of Python 3.11 does, where what it waits for comes in the same moment
    (docs/incidents/0128-a-worker-that-was-woken-was-not-stopped.md)."""
    found = [
        path
        for path in (tree.ROOT / "packages").rglob("*.py")
        if "asyncio.wait_for(" in path.read_text("utf-8")
    ]
    assert found == [], "use `async with asyncio.timeout(...)`"
