"""Trial of revocations: APIs in processes of their own, tokens revoked at random moments, and the last acceptance of each."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.flows.apps import App
from tests.flows.balancer import Balancer, balancing
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import API, draft
from tests.flows.settings import SOURCES, environment
from tests.waiting import PATIENCE, until

OF_ONE_APP = 150
"""Fewer than the entries for single tokens of one app, after which one entry stands for all of its tokens."""


@dataclass
class Verifier:
    """One API. `late`: it was started while tokens were being revoked, at this time."""

    process: subprocess.Popen[str]
    late: float | None = None
    ready: float = 0.0
    first: str = ""

    def wait(self) -> None:
        """Wait until it has verified its first token."""
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        self.ready, self.first = said["ready"], said["first"]

    def result(self) -> dict[str, Any]:
        """Stop it; returns what it saw."""
        out, _ = self.process.communicate("\n", timeout=PATIENCE)
        return json.loads(out.splitlines()[-1])


@dataclass
class Figures:
    """Seconds from the answer to a revocation until the last acceptance by any API, and what must be 0. `worst_at`: when the token with the
    longest delay was revoked, in seconds of the trial."""

    delays: list[float]
    worst_at: float
    accepted_after: int
    valid_refused: int
    never_refused: int
    refusals: dict[str, int]
    unavailable: list[float]
    ready: list[float]
    cores: float
    rounds: int
    entries: int
    bytes: int

    def share(self, part: float) -> float:
        """The delay that this part of the revocations did not exceed."""
        return sorted(self.delays)[min(int(part * len(self.delays)), len(self.delays) - 1)]

    def __str__(self) -> str:
        spread = " ".join(
            f"{name} {self.share(part):.3f}" for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1))
        )
        return (
            f"{len(self.delays)} revoked: {spread} s at {self.worst_at:.1f} s; accepted after {self.accepted_after}, valid refused {self.valid_refused},"
            f" never refused {self.never_refused}; others {self.refusals}; ready {max(self.ready):.2f} s; {self.cores:.2f} cores,"
            f" {self.rounds} rounds; {self.entries} entries in {self.bytes / 2**20:.1f} MiB"
        )


@dataclass
class Ground:
    """Server processes behind a balancer, and tokens of apps."""

    fleet: Fleet
    balancer: Balancer
    apps: list[App] = field(default_factory=list[App])
    tokens: list[tuple[App, str]] = field(default_factory=list[tuple[App, str]])

    def issue(self, count: int) -> None:
        """Have `count` more tokens, of as many new apps as needed."""

        async def work(services: Services) -> list[tuple[str, str]]:
            found: list[tuple[str, str]] = []
            for _ in range(-(-count // OF_ONE_APP)):
                name = f"Revoker {len(self.apps) + len(found)}"
                made = await services.get(admin.apps).create(
                    os_actor(), draft(name, "service"), kind="service", access=(API,)
                )
                assert made.secret is not None
                found.append((made.client.id, made.secret.reveal()))
            return found

        for client_id, secret in operate(self.fleet.config, work):
            app = App(self.fleet.issuer, client_id, secret, base=self.fleet.servers[-1].base)
            self.apps.append(app)
            # the process may learn of the app a moment later
            until(lambda app=app: app.token(grant_type="client_credentials", resource=API).status_code == 200)
            for _ in range(min(OF_ONE_APP, count)):
                answer = app.token(grant_type="client_credentials", resource=API)
                self.tokens.append((app, answer.json()["access_token"]))
                count -= 1

    def close(self) -> None:
        """Close the connections of the apps."""
        for app in self.apps:
            app.close()


@contextmanager
def ground(folder: Path, count: int, database: str | None) -> Generator[Ground]:
    """`count` server processes whose tokens live for an hour."""
    with (
        balancing() as balancer,
        processes(
            folder,
            count,
            database=database,
            sections={"tokens": {"access_ttl": 3600}},
            issuer=f"http://127.0.0.1:{balancer.port}",
        ) as fleet,
    ):
        balancer.ports = [server.port for server in fleet.servers]
        made = Ground(fleet, balancer)
        try:
            yield made
        finally:
            made.close()


def verifier(ground: Ground, *, pause: float, late: float | None = None, **settings: Any) -> Verifier:
    """Start an API that verifies all tokens again and again, `pause` seconds between the rounds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.flows.accepting"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(SOURCES),
        cwd=Path(__file__).parents[2],
    )
    asked = {
        "issuer": ground.fleet.issuer,
        "audience": API,
        "tokens": [token for _, token in ground.tokens],
        "pause": pause,
        "settings": {"wait": 60, **settings},
    }
    assert process.stdin is not None
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    return Verifier(process, late)


def trial(
    ground: Ground,
    *,
    revoked: int,
    seconds: float,
    apis: int,
    pause: float,
    seed: int,
    events: Sequence[tuple[float, Callable[[], object]]] = (),
    healed: Callable[[], float] | None = None,
    late_at: float | None = None,
    settle: float = 2.0,
    **settings: Any,
) -> Figures:
    """Revoke the first `revoked` tokens at random moments within `seconds`, at the last server process, which is never killed.

    `events` happen at their seconds. Revocations before the time that `healed` gives at the end count from then on: until then no API could
    know. At `late_at` one more API is started.
    """
    verifiers = [verifier(ground, pause=pause, **settings) for _ in range(apis)]
    for one in verifiers:
        one.wait()
    dice = random.Random(seed)
    due: list[tuple[float, Callable[[], object] | int]] = [
        (dice.uniform(0, seconds), place) for place in range(revoked)
    ]
    due += events
    if late_at is not None:
        due.append(
            (
                late_at,
                lambda: verifiers.append(verifier(ground, pause=pause, late=time.monotonic(), **settings)),
            )
        )
    answered = [0.0] * revoked
    began = time.monotonic()
    cpu = time.monotonic()
    for at, what in sorted(due, key=lambda one: one[0]):
        time.sleep(max(began + at - time.monotonic(), 0))
        if isinstance(what, int):
            app, token = ground.tokens[what]
            answer = app.post("/revoke", token=token)
            assert answer.status_code == 200, answer.text
            answered[what] = time.monotonic()
        else:
            what()
    for one in verifiers[apis:]:
        one.wait()
    time.sleep(settle)
    took = time.monotonic() - cpu
    seen = [one.result() for one in verifiers]
    delays: list[float] = []
    never = 0
    for place in range(revoked):
        begins = max(answered[place], healed() if healed is not None else 0.0)
        delays.append(max(0.0, *((one["accepted"][place] or 0.0) - begins for one in seen)))
        never += sum(one["revoked"][place] is None for one in seen)
    valid = range(revoked, len(ground.tokens))
    late = [
        one["accepted"][place] is not None
        for one, of in zip(seen, verifiers, strict=True)
        if of.late is not None
        for place in range(revoked)
        if answered[place] < of.late
    ]
    return Figures(
        delays=delays,
        worst_at=answered[max(range(revoked), key=delays.__getitem__)] - began,
        accepted_after=sum(sum(one["after"]) for one in seen) + sum(late),
        valid_refused=sum(one["revoked"][place] is not None for one in seen for place in valid),
        never_refused=never,
        refusals={
            name: sum(one["refusals"].get(name, 0) for one in seen)
            for one in seen
            for name in one["refusals"]
        },
        unavailable=[at - began for one in seen for at in one["unavailable"]],
        ready=[one["ready"] for one in seen],
        cores=sum(one["cpu"] for one in seen) / took,
        rounds=min(one["rounds"] for one in seen),
        entries=max(one["entries"] for one in seen),
        bytes=max(one["bytes"] for one in seen),
    )
