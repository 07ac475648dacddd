"""`python -m trials.cluster`: runs the trial, prints a table, writes build/cluster.json; logs are in build/cluster/.

The exit status is 0 when every promise is kept, and 1 when one is not.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console

from trials.cluster import report
from trials.cluster.addresses import enclose
from trials.cluster.figures import entries
from trials.cluster.postgres import programs
from trials.cluster.trial import Plan, run

BUILD = Path(__file__).resolve().parents[2] / "build"
_WIDTH = 150


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trials.cluster", description="A cluster whose machines die."
    )
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="how long nodes are killed (default 120)"
    )
    parser.add_argument("--every", type=float, default=4.5, help="seconds between two kills (default 4.5)")
    parser.add_argument("--people", type=int, default=300, help="people with refresh tokens (default 300)")
    parser.add_argument("--measurements", type=int, default=20, help="of each kind of change (default 20)")
    parser.add_argument("--no-failover", action="store_true", help="the primary lives")
    parser.add_argument(
        "--ports", action="store_true", help="ports of 127.0.0.1, also where namespaces are allowed"
    )
    parser.add_argument("--own-proxy", action="store_true", help="the trial's own proxy, also where nginx is")
    parser.add_argument(
        "--unplug", action="store_true", help="the primary is cut off instead of killed (namespaces only)"
    )
    parser.add_argument(
        "--forgetful",
        action="store_true",
        help="an asynchronous standby, a second behind: promises must break",
    )
    parser.add_argument("--small", action="store_true", help="only what has to hold in a run of any length")
    return parser.parse_args(given)


def main(given: Sequence[str]) -> int:
    """Run the trial. Returns the exit status."""
    asked = _arguments(given)
    enclose(given, ports=asked.ports)
    programs()  # before the variables that name them are removed: the trial does not depend on the caller's environment
    for name in [name for name in os.environ if name.startswith("DOORWARD_")]:
        del os.environ[name]
    errors = Console(stderr=True, highlight=False)
    plan = Plan(
        people=asked.people,
        browsers=max(2, asked.people // 8),
        seconds=asked.seconds,
        kill_every=asked.every,
        failover=not asked.no_failover,
        measurements=asked.measurements,
        own_proxy=asked.own_proxy,
        unplug=asked.unplug,
        forgetful=asked.forgetful,
    )
    began = time.monotonic()
    load = os.getloadavg()[0]

    def say(what: str) -> None:
        errors.print(f"[dim]· {time.monotonic() - began:5.1f} s  {what}")

    found = uvloop.run(run(plan, say, BUILD / "cluster"))
    said = report.values(found)
    (BUILD / "cluster" / "table.md").write_text(report.markdown(found), "utf-8")
    if not (asked.small or asked.forgetful or asked.unplug):
        written = msgspec.json.format(msgspec.json.encode(entries(said)), indent=2)
        (BUILD / "cluster.json").write_bytes(written + b"\n")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(report.table(found))
    console.print(report.promised(said, small=asked.small))
    console.print(f"{os.cpu_count()} cores; load average before {load:.1f}, after {os.getloadavg()[0]:.1f}")
    for complaint in report.complaints(found):
        console.print(f"! {complaint}", markup=False)
    return 1 if report.missed(said, small=asked.small) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
