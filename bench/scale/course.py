"""Order of the measurements on one engine: grow, measure at the store, at servers, beside the sweep, with more workers.

The result of each step is saved in the folder at once, so that an interrupted run does not repeat it.
"""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import floor, pin
from bench.figures import Absolute, Report
from bench.load import Result
from bench.rounds import Invalid, middle
from bench.scale import growth, promises, sweeping, workers
from bench.scale.grounds import POSTGRES_SETTINGS, Ground, SqliteGround, postgres_ground
from bench.scale.grown import Growing, State, Tell, label
from bench.scale.growth import Effort

_STORE_SHARE = 0.5
"""Length of a round at the store relative to one at a server."""
_SWEEP_ROUNDS = 4
_WORKER_ROUNDS = 1.5
"""Length of a round of the worker comparison relative to an ordinary one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, on which cores, and for how many seconds each."""

    folder: Path
    sizes: Sequence[int]
    seconds: float
    rounds: int
    expired: int
    cores: pin.Cores
    tell: Tell


class Found(msgspec.Struct):
    """The saved result of one step."""

    values: dict[str, float]
    absolutes: list[Absolute]
    reasons: dict[str, str]


class Course:
    """One run. It fills in the report, or the reason why it cannot."""

    def __init__(self, plan: Plan, report: Report) -> None:
        self._plan = plan
        self._report = report
        self._every = os.sched_getaffinity(0)
        self._file = plan.folder / "found.json"
        plan.folder.mkdir(parents=True, exist_ok=True)
        # The database server runs as another user, who must be able to enter this folder.
        plan.folder.chmod(0o755)
        self._kept: dict[str, Found] = {}
        self.failed: dict[str, str] = {}
        """Errors by engine and step."""
        if self._file.exists():
            self._kept = msgspec.json.decode(self._file.read_bytes(), type=dict[str, Found])

    def engine(self, name: str, *, workers: Sequence[int]) -> None:
        """Measure everything on one engine; `workers` are the worker counts to compare."""
        try:
            with self._ground(name) as ground:
                growing = Growing(self._plan.folder, ground, self._plan.tell)
                with pin.pinned(self._every):
                    state = growing.grow(self._plan.sizes)
                self._sizes(ground, state)
                # Saved results are valid only for these databases and this plan.
                same = f"{state.begins_ms} {self._plan.sizes} {self._plan.seconds} {self._plan.rounds}"
                self._step(f"{name} store", same, lambda into: self._store(ground, state, into))
                self._step(f"{name} http", same, lambda into: self._http(ground, state, into))
                self._step(f"{name} sweep", same, lambda into: self._sweep(ground, state, growing, into))
                if workers:
                    self._step(
                        f"{name} workers", same, lambda into: self._workers(ground, state, workers, into)
                    )
                growing.save(state)
        except (RuntimeError, OSError) as error:
            self._failed(name, error)

    @contextlib.contextmanager
    def _ground(self, name: str) -> Generator[Ground]:
        folder = self._plan.folder / name
        if name == "sqlite":
            # The event loop and the writing thread of the store run in this process, each with its own core.
            with pin.pinned({self._plan.cores.server, self._plan.cores.load}):
                yield SqliteGround(folder)
        else:
            with postgres_ground(folder, self._others()) as ground:
                note = f"version {ground.version}, max_wal_size {POSTGRES_SETTINGS['max_wal_size']}, else its own defaults"
                buffers = float(POSTGRES_SETTINGS["shared_buffers"].removesuffix("GB"))
                self._report.say("PostgreSQL, shared_buffers", buffers, "GB", note)
                with pin.pinned({self._plan.cores.server, self._plan.cores.load}):
                    yield ground

    def _others(self) -> set[int]:
        return self._every - {self._plan.cores.load} or self._every

    def _step(self, name: str, same: str, work: Callable[[Report], None]) -> None:
        into = Report.empty()
        key = f"{name} {same}"
        if key not in self._kept:
            self._plan.tell(name)
            try:
                work(into)
            except (Invalid, AssertionError, RuntimeError, OSError) as error:
                self._failed(name, error)
                return
            self._kept[key] = Found(into.values, into.absolutes, into.reasons)
            self._file.write_bytes(msgspec.json.encode(self._kept))
        self._report.values.update(self._kept[key].values)
        self._report.absolutes.extend(self._kept[key].absolutes)
        self._report.reasons.update(self._kept[key].reasons)

    def finished(self) -> None:
        """Discard saved results: the next run measures everything again, with or without the existing databases."""
        self._file.unlink(missing_ok=True)

    def _failed(self, step: str, error: Exception) -> None:
        self.failed[step] = str(error) or type(error).__name__
        self._plan.tell(f"[red]{step}: {self.failed[step]}")

    def _sizes(self, ground: Ground, state: State) -> None:
        for grants in self._plan.sizes:
            name = label(grants)
            what = f"{ground.name}: {grants:,} refresh tokens, {grants // 5:,} people"
            self._report.say(what, ground.mib(name), "MiB", f"made in {state.made[name]:.0f} s")

    def _effort(self) -> Effort:
        return Effort(self._plan.seconds * _STORE_SHARE, self._plan.seconds, self._plan.rounds)

    def _store(self, ground: Ground, state: State, into: Report) -> None:
        found = growth.run_at_store(ground, state, self._plan.sizes, self._effort())
        base = self._plan.sizes[0]
        for operation in growth.STORE:
            every = {
                grants: [timing.each_us for timing in rounds]
                for grants, rounds in found.warm[operation].items()
            }
            for grants in self._plan.sizes:
                middle_one = statistics.median(every[grants])
                cold = found.cold[operation][grants]
                last = found.warm[operation][grants][-1]
                note = f"p99 {last.at(0.99):.0f} µs; after a start with cold caches: median {cold.at(0.5):.0f} µs"
                into.say(f"{ground.name} store, {operation} among {label(grants)}", middle_one, "µs", note)
                if grants != base:
                    name = promises.growth_name(ground.name, operation, grants, base)
                    into.values[name] = growth.ratio(every[grants], every[base])

    def _http(self, ground: Ground, state: State, into: Report) -> None:
        server = {self._plan.cores.server}
        with pin.pinned(self._plan.cores.load):
            found = growth.at_server(
                ground, state, self._plan.sizes, self._effort(), self._plan.folder, server
            )
        base = self._plan.sizes[0]
        for operation in growth.HTTP:
            for grants in self._plan.sizes:
                rounds = found[operation][grants]
                into.say(
                    f"{ground.name}, {operation} among {label(grants)}",
                    middle(rounds).rate,
                    "/s",
                    _times(middle(rounds)),
                )
                if grants != base:
                    name = promises.growth_name(ground.name, operation, grants, base)
                    each = [1 / result.rate for result in rounds]
                    into.values[name] = growth.ratio(each, [1 / one.rate for one in found[operation][base]])

    def _sweep(self, ground: Ground, state: State, growing: Growing, into: Report) -> None:
        grants = self._plan.sizes[-1]
        rate = self._rate(ground, grants)
        with pin.pinned(self._plan.cores.load):
            found = sweeping.sweeping(
                ground,
                state,
                grants,
                growing,
                self._plan.folder,
                expired=self._plan.expired,
                rate=rate * sweeping.SHARE,
                seconds=self._plan.seconds * _SWEEP_ROUNDS,
                rounds=self._plan.rounds,
                cores={self._plan.cores.server},
            )
        into.values[promises.sweep_name(ground.name)] = found.ratio
        for what, rounds in (("without", found.calm), ("beside", found.sweeping)):
            one = sorted(rounds, key=lambda result: result.p99_ms)[len(rounds) // 2]
            note = f"{_times(one)}, longest of all rounds {max(r.longest_ms for r in rounds):.1f} ms"
            into.say(f"{ground.name}, refresh among {label(grants)}, {what} the sweep", one.rate, "/s", note)
        into.say(f"{ground.name}, rows swept beside it", found.rows / found.seconds, "/s", f"{found.rows:,}")

    def _rate(self, ground: Ground, grants: int) -> float:
        """The highest rate that the server just reached."""
        what = f"{ground.name}, http_refresh among {label(grants)}"
        said = [one.value for one in self._report.absolutes if one.what == what]
        if not said:
            raise RuntimeError("the rate of refreshes is not known")
        return said[0]

    def _workers(self, ground: Ground, state: State, numbers: Sequence[int], into: Report) -> None:
        with pin.pinned(self._plan.cores.load):
            limit = floor.load_limit(self._plan.cores.server, warm_up=0.5, seconds=self._plan.seconds)
            into.say("the load against a server that does nothing", limit.rate, "/s", "no side can be faster")
            found = workers.compare(
                ground,
                state,
                self._plan.sizes[0],
                self._plan.folder,
                seconds=self._plan.seconds * _WORKER_ROUNDS,
                rounds=self._plan.rounds,
                cores=self._others(),
                numbers=numbers,
            )
        for kind, sides in found.rounds.items():
            for number, rounds in sides.items():
                who = (
                    found.label
                    if number == workers.PEER
                    else f"{number} worker{'s' * (number > 1)} on PostgreSQL"
                )
                into.say(f"{kind}, {who}", middle(rounds).rate, "/s", _times(middle(rounds)))
            for number in numbers:
                self._put(
                    into,
                    promises.peer_name(kind, number),
                    found.ratio(kind, number, workers.PEER),
                    found.missing,
                )
                if number != numbers[0]:
                    self._put(
                        into,
                        promises.workers_name(kind, number),
                        found.ratio(kind, number, numbers[0]),
                        found.missing,
                    )

    @staticmethod
    def _put(into: Report, name: str, value: float | None, missing: str) -> None:
        if value is None:
            into.reasons[name] = f"no peer: {missing}"
        else:
            into.values[name] = value


def _times(result: Result) -> str:
    return f"p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms, {result.connections} connections"
