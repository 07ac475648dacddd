"""Where the processor time of a refresh goes, and the rate of one worker: this tree, and another beside it.

`python -m bench.refresh` measures on a SQLite file, `--postgres` on a PostgreSQL that shares the worker's core. `--beside FOLDER`
measures another working copy (its `.venv`) in turns with this one, such as the version before a change. Processor times are
those of the kernel, per refresh, and depend less on what else the machine does than rates do.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import pin, rounds, server
from bench.load import Result
from tests.postgres import Postgres, postgres_server

_HERE = "this tree"


@dataclass(frozen=True, slots=True)
class Work:
    """Processor time in seconds so far: of the event loop's thread, of the process's other threads, of the database's processes;
    and how often a thread of the process stopped to wait, or was interrupted."""

    loop: float
    others: float
    database: float
    switches: int

    def per(self, before: Work, number: int) -> tuple[float, float, float, float]:
        """The difference for each of `number` requests: microseconds, three times, and switches."""
        micro = 1e6 / number
        return (
            (self.loop - before.loop) * micro,
            (self.others - before.others) * micro,
            (self.database - before.database) * micro,
            (self.switches - before.switches) / number,
        )


def work(pid: int, database: Postgres | None) -> Work:
    """What the process `pid` and the database have used."""
    loop = others = 0.0
    switches = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        used = _seconds(task)
        if task.name == str(pid):
            loop = used
        else:
            others += used
        for line in (task / "status").read_text().splitlines():
            if line.endswith("ctxt_switches") or "ctxt_switches:" in line:
                switches += int(line.split()[-1])
    processes = database.processes() if database is not None else ()
    return Work(loop, others, sum(_seconds(Path(f"/proc/{one.pid}")) for one in processes), switches)


def _seconds(task: Path) -> float:
    with contextlib.suppress(OSError):
        return int((task / "schedstat").read_text().split()[0]) / 1e9
    return 0.0


@dataclass(slots=True)
class Subject:
    """A server under test: its results, and its processor times per refresh."""

    name: str
    side: Callable[[float, float], Result]
    pid: int
    results: list[Result]
    times: list[tuple[float, float, float, float]]

    def measure(self, seconds: float, database: Postgres | None) -> None:
        """One round. Raises Invalid when an answer was not a new token."""
        rounds.valid(self.side(1.0, 0.1))
        before = work(self.pid, database)
        result = rounds.valid(self.side(0.0, seconds))
        self.results.append(result)
        self.times.append(work(self.pid, database).per(before, result.requests))


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.refresh", description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--beside", type=Path, help="another working copy, with its .venv")
    parser.add_argument("--seconds", type=float, default=4, help="of each round (default 4)")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Print one line for each tree."""
    asked = _arguments(given)
    cores = pin.choose()
    pin.pin(cores.load)
    pythons = {_HERE: sys.executable}
    if asked.beside:
        pythons[str(asked.beside)] = str(asked.beside / ".venv" / "bin" / "python")
    with contextlib.ExitStack() as stack:
        database = None
        if asked.postgres:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doorward-bench-")))
            with pin.pinned(cores.server):
                database = stack.enter_context(postgres_server(folder, durable=True))
        subjects: list[Subject] = []
        for name, python in pythons.items():
            url = None if database is None else database.create()
            one = stack.enter_context(server.started(cores.server, database=url, python=python))
            subjects.append(Subject(name, rounds.refresh(one, one.web), one.worker_pid(), [], []))
        for number in range(asked.rounds):
            for subject in subjects if number % 2 else reversed(subjects):
                subject.measure(asked.seconds, database)
    for subject in subjects:
        loop, others, stored, switches = (
            statistics.median(each) for each in zip(*subject.times, strict=True)
        )
        print(
            f"{subject.name:24} {rounds.middle(subject.results).rate:8,.0f}/s  loop {loop:6.1f} µs"
            f"  other threads {others:6.1f} µs  database {stored:6.1f} µs  switches {switches:5.2f}"
        )
    if len(subjects) > 1:
        compared = rounds.Compared(subjects[0].results, subjects[1].results)
        print(f"{_HERE} / {subjects[1].name}: {compared.ratio:.2f}, median of {asked.rounds} rounds")


if __name__ == "__main__":
    main()
