"""Checks of the machine: clock, cores, and limit on open files. Part of `doctor`; changes nothing."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import Final

from doorward.adapters.clock import SystemClock
from doorward.core.model.finding import Finding, failed, passed
from doorward.server.sockets import OTHER_FILES
from doorward.settings import Settings

# This program was not written before: an earlier time is a wrong clock.
_EARLIEST: Final = 1_760_000_000
# adjtimex(2): the status bit for an unsynchronised clock, and its place in the structure of Linux on 64 bits.
_UNSYNCHRONISED: Final = 0x40
_STATUS_AT: Final = 40
_TIMEX_BYTES: Final = 512


def clock() -> Finding:
    """Whether the time is plausible, and whether the clock is synchronised."""
    if SystemClock().now() < _EARLIEST:
        return failed("the machine's clock is in the past", "Set it, and let NTP keep it.")
    kept = _kept()
    if kept is None:
        return passed("plausible; whether it is kept by NTP cannot be seen from here")
    if not kept:
        return passed(
            "plausible, but nobody keeps it: tokens are about seconds",
            "Let NTP keep it: timedatectl set-ntp true, or chrony.",
        )
    return passed("kept by NTP")


def workers(settings: Settings) -> Finding:
    """Whether there are as many cores as workers."""
    wanted, cores = settings.server.workers, _cores()
    said = f"{wanted} on {cores} core{'s' if cores > 1 else ''}"
    if wanted > cores:
        return passed(f"{said}: they would take turns", f"Set server.workers to {cores} or fewer.")
    return passed(said)


def files(settings: Settings) -> Finding:
    """Whether the limit on open files allows the configured connections; the server raises the soft limit itself."""
    wanted = settings.server.connections + OTHER_FILES
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        return passed(f"enough for {settings.server.connections} connections a worker")
    return failed(
        f"at most {hard}, and {settings.server.connections} connections a worker need {wanted}",
        f"Set LimitNOFILE={wanted} in the unit (or ulimit -n), or server.connections to {max(16, hard - OTHER_FILES)}.",
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _kept() -> bool | None:
    """Whether the kernel reports the clock as synchronised; None where it reports nothing."""
    if sys.platform != "linux" or sys.maxsize <= 2**32:
        return None
    question = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        answered = ctypes.CDLL(None, use_errno=True).adjtimex(question)
    except (OSError, AttributeError):
        return None
    if answered < 0:
        return None
    status = int.from_bytes(question.raw[_STATUS_AT : _STATUS_AT + 4], sys.byteorder)
    return not status & _UNSYNCHRONISED
