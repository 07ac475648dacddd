"""`python -m bench.scale`: grows, measures, prints tables, writes build/bench-scale.json and
build/bench-scale-figures.json.

The exit status is 0 when every requested figure was measured and keeps its floor, and 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from bench import pin, tables
from bench.figures import Absolute, Report, entries
from bench.process import BUILD
from bench.scale import promises
from bench.scale.course import Course, Plan
from bench.scale.sweeping import EXPIRED
from bench.scale.workers import NUMBERS

_SIZES = "10k,1m,5m"
_WIDTH = 130
_UNITS = {"k": 1000, "m": 1_000_000}
_errors = Console(stderr=True, highlight=False)


def _size(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower(), 1)
    number = int(text[:-1] if unit > 1 else text) * unit
    if number < 1000 or number % 5:
        raise argparse.ArgumentTypeError("a size is at least 1000 and a multiple of five, such as 10k or 5m")
    return number


def _sizes(text: str) -> list[int]:
    try:
        found = sorted({_size(part.strip()) for part in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a list of sizes such as {_SIZES}: {text}") from None
    if len(found) < 2:
        raise argparse.ArgumentTypeError("growth takes two sizes at least")
    return found


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale",
        description="How Doorward stands with a million people, on both databases.",
        epilog="A run that was cut off goes on where it was when it is started again with the same folder.",
    )
    parser.add_argument(
        "--sizes", type=_sizes, default=_sizes(_SIZES), help=f"refresh tokens (default {_SIZES})"
    )
    parser.add_argument("--engines", nargs="+", choices=promises.ENGINES, default=list(promises.ENGINES))
    parser.add_argument("--seconds", type=float, default=2.0, help="for each round at a server (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--expired", type=int, default=EXPIRED, help=f"rows to sweep (default {EXPIRED:,})")
    parser.add_argument("--folder", type=Path, default=BUILD / "scale", help="where the databases are made")
    parser.add_argument("--into", type=Path, default=BUILD, help="where the figures are written (build/)")
    parser.add_argument("--keep", action="store_true", help="leave the databases in the folder")
    parser.add_argument("--without-workers", action="store_true", help="do not compare numbers of workers")
    parser.add_argument("--ordinary", action="store_true", help="do not put the run before all else (nice)")
    parser.add_argument("--json", action="store_true", help="print build/bench-scale.json, not the tables")
    return parser.parse_args(given)


def _write(path: Path, found: Sequence[object]) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    path.write_bytes(text)
    return text


def _machine(cores: pin.Cores, seconds: float, first: bool) -> list[str]:
    return [
        f"Python {platform.python_version()}, {os.cpu_count()} cores: load on core {cores.load}, servers on core {cores.server}"
        f" (on all but the load's where workers are compared), {seconds / 60:.0f} min",
        f"Load average {os.getloadavg()[0]:.1f}; {'before all else (nice -19)' if first else 'at ordinary priority'}",
    ]


def main(given: Sequence[str] | None = None) -> int:
    """Run the requested measurements. Returns the exit status."""
    asked = _arguments(given)
    cores = pin.choose()
    if cores.shared:
        _errors.print("[yellow]only one core: server and load share it, and the figures are worth little")
    first = not asked.ordinary and pin.come_first()
    began = time.monotonic()
    report = Report.empty()
    plan = Plan(
        folder=asked.folder.resolve(),
        sizes=asked.sizes,
        seconds=asked.seconds,
        rounds=asked.rounds,
        expired=asked.expired,
        cores=cores,
        tell=lambda what: _errors.print(f"[dim]· {time.monotonic() - began:4.0f} s  {what}"),
    )
    compare = "postgres" in asked.engines and not asked.without_workers
    wanted = promises.promises(asked.engines, asked.sizes, workers=compare)
    course = Course(plan, report)
    for engine in asked.engines:
        course.engine(engine, workers=NUMBERS if compare and engine == "postgres" else ())
    for promise in wanted:
        if promise.name not in report.values and course.failed:
            report.reasons.setdefault(promise.name, "see below")
    if not course.failed:
        course.finished()
        if not asked.keep:
            shutil.rmtree(plan.folder, ignore_errors=True)
    promised = _write(asked.into / "bench-scale.json", entries(wanted, report))
    figures: list[Absolute] = report.absolutes
    _write(asked.into / "bench-scale-figures.json", figures)
    if asked.json:
        sys.stdout.write(promised.decode())
    else:
        console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
        for line in _machine(cores, time.monotonic() - began, first):
            console.print(line)
        console.print(tables.promised(wanted, report))
        console.print(tables.figures(report))
        for step, reason in course.failed.items():
            console.print(f"[red]{step}[/]: {reason}")
    missed = [p.name for p in wanted if p.name in report.values and not p.kept(report.values[p.name])]
    peerless = {name for name, reason in report.reasons.items() if reason.startswith("no peer")}
    unmeasured = [p.name for p in wanted if p.name not in report.values and p.name not in peerless]
    return 1 if missed or unmeasured else 0


if __name__ == "__main__":
    sys.exit(main())
