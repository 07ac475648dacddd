"""Course of the trial, from the first machine to the last check."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from trials.cluster import after, storm
from trials.cluster.addresses import Addresses, Machine, addresses
from trials.cluster.asking import Place
from trials.cluster.browser import Browser
from trials.cluster.door import door
from trials.cluster.holds import Held, Nodes
from trials.cluster.ledger import CliError, Ledger, Patient
from trials.cluster.load import Load, Pace
from trials.cluster.node import Node, copy_sources, settings
from trials.cluster.people import Person, RotationLog
from trials.cluster.postgres import Pair, pair
from trials.cluster.seeds import PASSWORD, Seeds, sow

HOST = "auth.example.com"
ISSUER = f"https://{HOST}"
LEEWAY = 3
"""Leeway of a spent refresh token, in seconds; shorter than the default, so that the checks at the end need not wait."""
AFTERWARDS = 3
"""Measurements of each kind after the storm."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of the trial. `measurements`: of each kind of change on A. `seconds`: of the storm."""

    people: int = 300
    browsers: int = 40
    nodes: int = 3
    seconds: float = 120.0
    kill_every: float = 4.5
    failover: bool = True
    measurements: int = 20
    own_proxy: bool = False
    unplug: bool = False
    """The primary is cut off without closing its connections."""
    forgetful: bool = False
    """With an asynchronous standby that lags by a second: the promises cannot be kept then."""
    pace: Pace = field(default_factory=Pace)


@dataclass(slots=True)
class Found:
    """The results of the trial; `troubles` are the requests of the storm that needed a retry."""

    kind: str
    proxy: str
    plan: Plan
    held: list[Held] = field(default_factory=list[Held])
    held_late: list[Held] = field(default_factory=list[Held])
    """The same on the new primary, with the leftovers of all nodes that were killed."""
    storm: storm.Storm = field(default_factory=storm.Storm)
    ledger: Ledger = field(default_factory=Ledger)
    record: RotationLog = field(default_factory=RotationLog)
    asked_in_storm: Counter[str] = field(default_factory=Counter[str])
    troubles: Sequence[CliError] = ()
    aftermath: after.Aftermath | None = None
    logged: list[str] = field(default_factory=list[str])
    """Errors in the nodes' logs."""
    starts: list[float] = field(default_factory=list[float])
    """Seconds from each start of a node until it was ready."""
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """All running parts."""

    places: Addresses
    pair: Pair
    nodes: Sequence[Node]
    seeds: Seeds
    door: Place
    """The proxy's address for clients."""
    proxy: str
    """The proxy's name."""


async def run(plan: Plan, say: Callable[[str], None], keep: Path | None = None) -> Found:
    """Run the whole trial. The machines' logs are copied to `keep`. Raises RuntimeError when something does not start."""
    began = time.monotonic()
    ours = asyncio.current_task()
    assert ours is not None
    # as after Ctrl-C: everything is stopped in order
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ours.cancel)
    async with _cluster(plan, say, keep) as cluster:
        found = Found(cluster.places.kind, cluster.proxy, plan)
        patient = Patient(found.ledger, random.Random(1))
        people, browsers, newcomers = _crowd(plan, cluster, patient, found.record)
        say(f"signing {len(people) + len(browsers)} people in through the proxy")
        await _all_sign_in(people, browsers)
        withdrawn: set[str] = set()
        load = Load(
            cluster.door, ISSUER, people, browsers, newcomers,
            cluster.seeds.batch, cluster.seeds.reader, found.ledger, plan.pace, withdrawn,
        )  # fmt: skip
        load.start()
        if plan.measurements:
            say(f"measuring {plan.measurements} changes of each kind on node A, under load")
            calm = Nodes.of(cluster.nodes, cluster.pair.primary, patient, cluster.seeds, withdrawn)
            found.held = await calm.measured(plan.measurements, cluster.door, seconds=75)
        before = Counter(found.ledger.asked)
        say(f"the storm: a node dies every {plan.kill_every:g} s for {plan.seconds:g} s")
        found.storm = await storm.rage(
            cluster.nodes,
            cluster.pair if plan.failover else None,
            seconds=plan.seconds,
            every=plan.kill_every,
            at_least=round(0.8 * plan.seconds / plan.kill_every),
            unplug=plan.unplug,
            say=say,
        )
        found.asked_in_storm = found.ledger.asked - before
        if plan.measurements and plan.failover:
            say(f"measuring {AFTERWARDS} changes of each kind once more, on the new primary")
            late = Nodes.of(cluster.nodes, cluster.pair.standby, patient, cluster.seeds, withdrawn)
            found.held_late = await late.measured(AFTERWARDS, cluster.door, seconds=12)
        await load.stop()
        found.troubles = list(found.ledger.troubles)
        say("looking at what is left")
        found.aftermath = await after.look(people, browsers, ISSUER, sample=len(people) // 5, leeway=LEEWAY)
        for person in (*people, *browsers, *newcomers):
            person.close()
        found.starts = [seconds for node in cluster.nodes for seconds in node.ready_after]
        found.logged = [line for node in cluster.nodes for line in node.troubles()]
    found.took = time.monotonic() - began
    return found


@asynccontextmanager
async def _cluster(plan: Plan, say: Callable[[str], None], keep: Path | None) -> AsyncGenerator[Cluster]:
    with addresses(plan.nodes) as places, _folder(keep) as folder:
        say(f"{plan.nodes} nodes, a proxy, a primary and a standby, on {_where(places)}")
        copy_sources(folder)
        authority = trustme.CA()
        certificate = authority.issue_cert(HOST)
        certificate.private_key_pem.write_to_path(folder / "proxy.key")
        certificate.cert_chain_pems[0].write_to_path(folder / "proxy.pem")
        tls = ssl.create_default_context()
        authority.configure_trust(tls)
        with pair(folder, places, synchronous=not plan.forgetful) as database:
            nodes = [
                Node(machine, _settings(machine, database, places, folder), folder / f"{machine.name}.log")
                for machine in places.nodes
            ]
            say(f"making {plan.people + plan.browsers} people")
            seeds = await sow(
                nodes[0].config, people=plan.people + plan.browsers, doomed=plan.measurements + AFTERWARDS
            )
            try:
                await asyncio.gather(*(asyncio.to_thread(node.start) for node in nodes))
                with door(folder, places, own=plan.own_proxy) as proxy:
                    entrance = Place(places.proxy.host, places.proxy.port, HOST, tls)
                    yield Cluster(places, database, nodes, seeds, entrance, proxy)
            finally:
                await asyncio.gather(*(asyncio.to_thread(node.stop) for node in nodes))


def _settings(machine: Machine, database: Pair, places: Addresses, folder: Path) -> Path:
    return settings(
        machine,
        issuer=ISSUER,
        database=database.url,
        network=places.network,
        folder=folder,
        tokens={"refresh_leeway": LEEWAY},
    )


@contextmanager
def _folder(keep: Path | None) -> Generator[Path]:
    """A folder that all users can enter; its logs are copied to `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-cluster-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for log in (*folder.glob("*.log"), *folder.glob("nginx*.conf")):
                shutil.copy(log, keep / log.name)
        shutil.rmtree(folder, ignore_errors=True)


def _where(places: Addresses) -> str:
    return "addresses of their own" if places.kind == "namespaces" else "ports of 127.0.0.1"


def _crowd(
    plan: Plan, cluster: Cluster, patient: Patient, record: RotationLog
) -> tuple[list[Person], list[Browser], list[Person]]:
    """People with a token chain, people with a browser, and people who sign in repeatedly."""
    emails, shop = cluster.seeds.emails, cluster.seeds.shop

    def person(email: str) -> Person:
        return Person(email, PASSWORD, shop, cluster.door, patient, record)

    people = [person(email) for email in emails[: plan.people]]
    browsers = [
        Browser(email, PASSWORD, shop, cluster.door, patient, record) for email in emails[plan.people :]
    ]
    newcomers = [person(email) for email in emails[: plan.pace.newcomers]]
    return people, browsers, newcomers


async def _all_sign_in(people: Sequence[Person], browsers: Sequence[Browser]) -> None:
    gate = asyncio.Semaphore(16)

    async def one(person: Person) -> None:
        async with gate:
            await (person.sign_in_with_pages(ISSUER) if isinstance(person, Browser) else person.sign_in())
        if not person.newest:
            raise RuntimeError(
                f"{person.email} could not sign in: {person.signed_out or person.ledger.wrong}"
            )

    await asyncio.gather(*(one(person) for person in (*people, *browsers)))
