"""Delay until a command on node A takes effect on B and C: from the commit in PostgreSQL to the first answer
that shows it.

PostgreSQL records when a row was committed (`track_commit_timestamp`); all machines share one clock. Each of
the other nodes is polled at its own address, and the slower one counts.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from doorward_verify.encoding import b64url_decode
from trials.cluster.asking import Line, Place
from trials.cluster.ledger import Patient
from trials.cluster.node import Node
from trials.cluster.people import App, Person, RotationLog
from trials.cluster.postgres import DATABASE, Instance
from trials.cluster.seeds import PASSWORD, Seeds

_LONGEST = 60.0
_BREATH = 0.002

Shows = Callable[[Line], Awaitable[bool]]
"""Whether the node at the other end of the line shows the change."""


@dataclass(slots=True)
class Held:
    """One kind of change. Seconds from the commit, and from the moment when the command reported success
    (negative: before it)."""

    what: str
    since_commit: list[float] = field(default_factory=list[float])
    since_done: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class Nodes:
    """A runs the commands; the others are polled. `writer` is the PostgreSQL with the commits."""

    taking: Node
    others: Sequence[Node]
    writer: Instance
    patient: Patient
    seeds: Seeds
    withdrawn: set[str]
    """Ids of the withdrawn keys: tokens that they signed are correctly reported as inactive."""

    @classmethod
    def of(
        cls, nodes: Sequence[Node], writer: Instance, patient: Patient, seeds: Seeds, withdrawn: set[str]
    ) -> Nodes:
        """The nodes; the first one runs the commands."""
        return cls(nodes[0], nodes[1:], writer, patient, seeds, withdrawn)

    async def measured(self, times: int, through: Place, *, seconds: float) -> list[Held]:
        """Measure each kind of change that many times. On a busy machine, where commands start slowly, no
        further one of a kind begins after `seconds`. Raises RuntimeError when a change never takes effect."""
        turned, revoked = await self.key_turns(times, 2 * seconds)
        return [turned, revoked, await self.deletions(times, seconds, through)]

    def lines(self) -> list[Line]:
        """A connection to each of the other nodes, not through the proxy."""
        return [Line(place_of(node)) for node in self.others]

    async def watched(
        self, held: Held, shows: Sequence[Shows], command: Sequence[str], committed: Callable[[str], str]
    ) -> str:
        """Run the command on A and wait until every one of `shows` is true on every other node. `committed` builds the
        query for the commit from the command's output. Returns that output. Raises RuntimeError after a minute."""
        until = time.monotonic() + _LONGEST
        watchers = [asyncio.create_task(_first(line, one, until)) for one in shows for line in self.lines()]
        try:
            done = await asyncio.to_thread(self.taking.command, *command)
            answered = time.time()
            seen = max(await asyncio.gather(*watchers))
        finally:
            for watcher in watchers:
                watcher.cancel()
        # the first, where an end is told by several lines
        first = "SELECT extract(epoch FROM min(pg_xact_commit_timestamp(xmin)))"
        text = f"{first} FROM {committed(done.stdout)}"
        commit = float(await asyncio.to_thread(self.writer.query, text, DATABASE))
        held.since_commit.append(seen - commit)
        held.since_done.append(seen - answered)
        return done.stdout

    async def key_turns(self, times: int, seconds: float) -> tuple[Held, Held]:
        """`doorward keys rotate --force`, then `doorward keys revoke` of the previous key: until tokens are
        signed by the new key and the published set has it; until the old key is no longer published and its
        tokens are inactive."""
        turned = Held("key rotation: new tokens and /jwks on B and C")
        revoked = Held("key revocation: /jwks and introspection on B and C")
        reader = self.seeds.reader
        enough = time.monotonic() + seconds
        for _ in range(times):
            if time.monotonic() > enough:
                break
            token = await self._token(Line(place_of(self.others[0])))
            old = key_of(token)

            async def signs_anew(line: Line, old: str = old) -> bool:
                key = key_of(await self._token(line))
                return key != old and key in await self._published(line)

            said = await self.watched(
                turned, [signs_anew], ["keys", "rotate", "--force", "--json"],
                lambda out: f"signing_keys WHERE id = '{json.loads(out)['id']}'",
            )  # fmt: skip
            assert json.loads(said)["id"] != old

            self.withdrawn.add(old)

            async def unpublished(line: Line, old: str = old) -> bool:
                return old not in await self._published(line)

            async def inactive(line: Line, token: str = token) -> bool:
                return not await self._active(line, token, reader)

            await self.watched(
                revoked, [unpublished, inactive], ["keys", "revoke", old, "--yes", "--json"],
                lambda _, old=old: f"signing_keys WHERE id = '{old}'",
            )  # fmt: skip
        return turned, revoked

    async def deletions(self, times: int, seconds: float, through: Place) -> Held:
        """`doorward app delete`: until B and C refuse the app, report its people's tokens as inactive and
        list it in the feed."""
        held = Held("app deletion: refused, inactive and in the feed on B and C")
        reader = self.seeds.reader
        enough = time.monotonic() + seconds
        for _ in range(times):
            if time.monotonic() > enough:
                break
            app = self.seeds.doomed.pop()
            person = Person(self.seeds.emails[0], PASSWORD, app, through, self.patient, RotationLog())
            await person.sign_in()
            person.close()
            assert person.access, "no sign-in to an app that is about to be deleted succeeded"
            cursor = (await self._feed(Line(place_of(self.others[0])), ""))[0]

            async def refused(line: Line, app: App = app) -> bool:
                fields = {"grant_type": "client_credentials"}
                answer = await line.form("/token", fields, authorization=app.proof)
                assert answer.status in {200, 401}, answer
                return answer.status == 401

            async def inactive(line: Line, token: str = person.access) -> bool:
                return not await self._active(line, token, reader)

            async def told(line: Line, app: App = app, cursor: str = cursor) -> bool:
                return app.id in (await self._feed(line, cursor))[1]

            await self.watched(
                held, [refused, inactive, told], ["app", "delete", app.id, "--yes", "--json"],
                lambda _, app=app: f"revocations WHERE kind = 'client' AND ref = '{app.id}'",
            )  # fmt: skip
        return held

    async def _token(self, line: Line) -> str:
        fields = {"grant_type": "client_credentials", "scope": "orders:read"}
        answer = await line.form("/token", fields, authorization=self.seeds.batch.proof)
        assert answer.status == 200, answer
        return answer.json()["access_token"]

    async def _published(self, line: Line) -> set[str]:
        answer = await line.ask("GET", "/jwks")
        assert answer.status == 200, answer
        return {key["kid"] for key in json.loads(answer.body)["keys"]}

    async def _active(self, line: Line, token: str, reader: App) -> bool:
        answer = await line.form("/introspect", {"token": token}, authorization=reader.proof)
        assert answer.status == 200, answer
        return answer.json()["active"] == "True"

    async def _feed(self, line: Line, cursor: str) -> tuple[str, set[str]]:
        """The newest cursor and the clients in the answer. With a cursor the request is held open until there
        is a change."""
        answer = await line.ask("GET", f"/revocations?after={cursor}&wait=5" if cursor else "/revocations")
        assert answer.status == 200, answer
        document = json.loads(answer.body)
        return document["cursor"], {one["id"] for one in document["entries"] if one["kind"] == "client"}


def place_of(node: Node) -> Place:
    """A node's own address, not through the proxy."""
    machine = node.machine
    return Place(machine.host, machine.port, machine.address)


async def _first(line: Line, shows: Shows, until: float) -> float:
    try:
        while time.monotonic() < until:
            if await shows(line):
                return time.time()
            await asyncio.sleep(_BREATH)
    finally:
        line.close()
    raise RuntimeError("a change did not reach another node within a minute")


def key_of(token: str) -> str:
    """The `kid` in a token's header."""
    return json.loads(b64url_decode(token.partition(".")[0]))["kid"]
