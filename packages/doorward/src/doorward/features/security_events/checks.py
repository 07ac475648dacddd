"""Check of the streams of security events. Part of `doctor`; changes nothing."""

from __future__ import annotations

from doorward.core.amounts import moment
from doorward.core.model.finding import Finding, failed, passed
from doorward.features.feature import Examined

_LATE = 3600
"""Seconds that an event of an enabled stream may wait before it is a warning."""


async def event_streams(examined: Examined) -> Finding | None:
    """Streams that are paused or disabled, and events that wait for long. None: there is no stream."""
    events = examined.store.security_events
    streams, counts = await events.all(), await events.counts()
    if not streams:
        return None
    stopped: list[str] = []
    late: list[str] = []
    for one in streams:
        number, oldest = counts.get(one.id, (0, examined.now))
        if one.status != "enabled":
            stopped.append(
                f"{one.id} of {one.client_id} is {one.status} ({one.reason or 'without a reason'}), {number} wait"
            )
        elif one.failing_since is not None or oldest <= examined.now - _LATE:
            why = one.problem or "its receiver does not ask for them"
            late.append(f"{one.id} of {one.client_id}: {number} wait since {moment(oldest)}, {why}")
    said = f"{len(streams)}, {sum(number for number, _ in counts.values())} events wait"
    if stopped:
        return failed(
            "; ".join(stopped),
            "Mend the receiver, then doorward stream resume STREAM; or doorward stream remove STREAM.",
        )
    if late:
        return passed(
            f"{said}; {'; '.join(late)}", "doorward stream show STREAM says what the receiver answered."
        )
    return passed(said)
