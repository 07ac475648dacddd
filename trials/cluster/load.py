"""Load while machines die: people refresh at their own pace, browsers fetch new grants, apps act, an API introspects."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from trials.cluster.asking import Answer, Line, Place
from trials.cluster.browser import Browser
from trials.cluster.holds import key_of
from trials.cluster.ledger import GaveUp, Ledger, Patient
from trials.cluster.people import App, Person

TWICE = 0.05
"""The share of refreshes that are sent twice at once, on purpose."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Average seconds between two requests of one client, and how many clients there are beside the people."""

    refresh: float = 1.6
    silent: float = 6.0
    sign_in: float = 8.0
    credentials: float = 0.025
    introspection: float = 0.05
    services: int = 6
    apis: int = 4
    newcomers: int = 8


@dataclass
class Load:
    """Runs until it is stopped; every request in progress is then completed."""

    place: Place
    issuer: str
    people: Sequence[Person]
    browsers: Sequence[Browser]
    newcomers: Sequence[Person]
    batch: App
    reader: App
    ledger: Ledger
    pace: Pace
    withdrawn: set[str]
    """Ids of signing keys whose tokens are no longer valid."""
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list["asyncio.Task[None]"])

    def start(self) -> None:
        """Start the load."""
        pace = self.pace
        for number, person in enumerate(self.people):
            self._begin(self._refreshing(person), pace.refresh, number)
        for number, person in enumerate(self.browsers):
            self._begin(self._browsing(person), pace.silent, 10_000 + number)
        for number, person in enumerate(self.newcomers):
            self._begin(person.sign_in, pace.sign_in, 20_000 + number)
        for number in range(pace.services):
            self._begin(self._acting(30_000 + number), pace.credentials * pace.services, 30_000 + number)
        for number in range(pace.apis):
            self._begin(self._looking(40_000 + number), pace.introspection * pace.apis, 40_000 + number)

    async def stop(self) -> None:
        """Stop: no new requests are sent, and each open one is answered or given up. Raises the errors of the clients."""
        self._over.set()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def _begin(self, step: Callable[[], Awaitable[None]], every: float, seed: int) -> None:
        self._tasks.append(asyncio.create_task(self._again_and_again(step, every, random.Random(seed))))

    async def _again_and_again(
        self, step: Callable[[], Awaitable[None]], every: float, rng: random.Random
    ) -> None:
        await self._rest(rng.uniform(0, every))
        while not self._over.is_set():
            # giving up is recorded in the ledger; the client retries, as a person would press the button again
            with suppress(GaveUp):
                await step()
            await self._rest(rng.uniform(0.4, 1.6) * every)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            pass

    def _refreshing(self, person: Person) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            if person.signed_out:
                return
            if person.patient.rng.random() < TWICE:
                await person.refresh_twice_at_once()
            else:
                await person.refresh()

        return step

    def _browsing(self, person: Browser) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            if not person.signed_out:
                await person.silently(self.issuer)

        return step

    def _acting(self, seed: int) -> Callable[[], Awaitable[None]]:
        line, patient, app = Line(self.place), Patient(self.ledger, random.Random(seed)), self.batch
        fields = {"grant_type": "client_credentials", "scope": "orders:read"}

        async def step() -> None:
            answer, _ = await patient(
                "client credentials", lambda: line.form("/token", fields, authorization=app.proof)
            )
            if answer.status != 200:
                self.ledger.say("client credentials", answer)

        return step

    def _looking(self, seed: int) -> Callable[[], Awaitable[None]]:
        line, rng = Line(self.place), random.Random(seed)
        patient = Patient(self.ledger, rng)

        async def step() -> None:
            token = rng.choice(self.people).access
            answer, _ = await patient(
                "introspection",
                lambda: line.form("/introspect", {"token": token}, authorization=self.reader.proof),
            )
            if key_of(token) not in self.withdrawn and not _active(answer):
                self.ledger.say("introspection of a token that holds", answer)

        return step


def _active(answer: Answer) -> bool:
    return answer.status == 200 and answer.json().get("active") == "True"
