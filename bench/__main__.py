"""`python -m bench`: measures, prints a table, writes build/bench.json and build/bench-figures.json.

The exit status is 0 when every measurable figure keeps its floor, and 1 when one does not or is invalid.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence

import msgspec
from rich.console import Console

from bench import measure, pin, tables
from bench.figures import PROMISES, Report, entries
from bench.process import BUILD

_NAMES = [promise.name for promise in PROMISES]
_WIDTH = 130
_errors = Console(stderr=True, highlight=False)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast Doorward is, in one run.")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=_NAMES, help=f"of: {', '.join(_NAMES)}")
    parser.add_argument("--seconds", type=float, default=9.0, help="for each measurement (default 9)")
    parser.add_argument("--json", action="store_true", help="print build/bench.json instead of the table")
    parser.add_argument(
        "--peer-alone", action="store_true", help="only the floors and the peer's own figures"
    )
    return parser.parse_args(given)


def _write(report: Report, names: set[str]) -> bytes:
    BUILD.mkdir(exist_ok=True)
    promised = msgspec.json.format(
        msgspec.json.encode(entries([p for p in PROMISES if p.name in names], report)), indent=2
    )
    (BUILD / "bench.json").write_bytes(promised + b"\n")
    absolute = msgspec.json.format(msgspec.json.encode(report.absolutes), indent=2)
    (BUILD / "bench-figures.json").write_bytes(absolute + b"\n")
    return promised


def main(given: Sequence[str] | None = None) -> int:
    """Run the requested measurements. Returns the exit status."""
    asked = _arguments(given)
    names = set(asked.only or _NAMES)
    cores = pin.choose()
    if cores.shared:
        _errors.print("[yellow]only one core: server and load share it, and the figures are worth little")
    pin.pin(cores.load)
    first = pin.come_first()
    load_before = os.getloadavg()[0]
    report = Report.empty()
    plan = measure.Plan(names, cores, asked.seconds, lambda what: _errors.print(f"[dim]· {what}"))
    began = time.monotonic()
    if not asked.peer_alone and names & set(measure.VERIFY):
        measure.verification(plan, report)
    if not asked.peer_alone and names & set(measure.REVOCATIONS):
        measure.revocations(plan, report)
    if names & set(measure.SERVER):
        measure.floors(plan, report)
    if asked.peer_alone:
        measure.peer_alone(plan, report)
    elif names & set(measure.SERVER):
        measure.serving(plan, report)
    promised = b"" if asked.peer_alone else _write(report, names)
    if asked.json and promised:
        sys.stdout.write(promised.decode() + "\n")
    else:
        console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
        machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, server on core {cores.server}"
        console.print(f"{machine}, load on core {cores.load}, {time.monotonic() - began:.0f} s")
        around = f"Load average before {load_before:.1f}, after {os.getloadavg()[0]:.1f}"
        console.print(f"{around}; {'before all else (nice -19)' if first else 'at ordinary priority'}")
        if not asked.peer_alone:
            console.print(tables.promised([p for p in PROMISES if p.name in names], report))
        console.print(tables.figures(report))
    missed = [p.name for p in PROMISES if p.name in report.values and not p.kept(report.values[p.name])]
    unmeasured = [
        name for name in names & set(report.reasons) if not report.reasons[name].startswith("no peer")
    ]
    return 1 if missed or unmeasured else 0


if __name__ == "__main__":
    sys.exit(main())
