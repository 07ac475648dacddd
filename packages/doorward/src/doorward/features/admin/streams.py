"""Administration of streams of security events: allow an app to manage its own, and create, find, pause, verify and delete one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from doorward.core.model.actor import Actor
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission
from doorward.core.model.security_event import EventKind, EventStream, StreamStatus, SubjectFormat
from doorward.features.admin.commit import ConfigAdmin
from doorward.features.admin.error import AdminError, nearest, refused
from doorward.features.admin.lookup import find_client
from doorward.features.admin.operation import operation
from doorward.features.security_events.access import MANAGE, READ, audience
from doorward.features.security_events.problem import StreamRefused
from doorward.features.security_events.rules.stream_request import Wishes, header_fits, push_problem
from doorward.features.security_events.streams import Noted, Streams
from doorward.storage.sql.store import Write

API_NAME: Final = "Security events"
_OWN: Final = "client_credentials"


class StreamState(Struct, frozen=True, kw_only=True):
    """A stream with the name of its app, how many events wait, and when the oldest of them happened (seconds)."""

    stream: EventStream
    app: str
    waiting: int
    oldest_at: int | None


class StreamAdmin(ConfigAdmin, frozen=True, kw_only=True):
    """Streams are named by id, apps by name or id. Every method raises `AdminError` on failure, and every change is audited."""

    streams: Streams
    issuer: str
    development: bool

    @operation("apps.write")
    async def allow(self, actor: Actor, app: str) -> Client:
        """Let an app manage its streams by HTTP: it may ask for access tokens for the API of streams, which is made if it is missing."""
        config = await self.config.refresh()
        client = find_client(config, app)
        if _OWN not in client.grant_types:
            raise _refused(
                f"{client.name} gets no access tokens for itself", f"Give it the grant type {_OWN}"
            )
        identifier = audience(self.issuer)
        api = config.apis.get(identifier) or Api(
            id=self.random.new_id("api"),
            identifier=identifier,
            name=API_NAME,
            permissions=(
                Permission(READ, "Read its streams of security events"),
                Permission(MANAGE, "Manage its streams of security events"),
            ),
            created_at=self.clock.now(),
        )
        new = structs.replace(client, access={**client.access, identifier: (READ, MANAGE)})
        if new == client and identifier in config.apis:
            raise refused("unchanged", noun="app", name=client.name)
        writes = [self.store.registry.put_client(new)]
        if identifier not in config.apis:
            writes.append(self.store.registry.put_api(api))
        await self._commit(actor, "app.changed", config, *writes, client_id=client.id, changed=["access"])
        return new

    @operation("apps.write")
    async def create(
        self,
        actor: Actor,
        app: str,
        *,
        push_to: str | None = None,
        authorization: str | None = None,
        events: Sequence[EventKind] = (),
        subject: SubjectFormat = "iss_sub",
        subject_in_event: bool = False,
        audience: str | None = None,
        description: str | None = None,
    ) -> EventStream:
        """A stream for an app: pushed to an address, or polled by the app. No `events`: all."""
        client = find_client(await self.config.refresh(), app)
        if (
            push_to is not None
            and (problem := push_problem(push_to, development=self.development)) is not None
        ):
            raise _refused(
                f"{push_to} {problem}", "Name the address of the receiver: https://app.example.com/events"
            )
        if authorization is not None and not header_fits(authorization):
            raise _refused(
                "The authorization is empty, too long, or not visible ASCII",
                "Pipe in the whole header, as in Bearer TOKEN",
            )
        wishes = Wishes(
            push_to=push_to,
            authorization=authorization,
            delivery=True,
            events=tuple(dict.fromkeys(events)) or None,
            description=description,
        )
        try:
            return await self.streams.create(
                client.id,
                wishes,
                self._noted(actor),
                audience=audience,
                subject=subject,
                subject_in_event=subject_in_event,
            )
        except StreamRefused as problem:
            raise _refused(
                f"The app has {self.streams.policy.per_app} streams already",
                "Remove one of them, or raise event_streams.per_app",
            ) from problem

    @operation("apps.read")
    async def find(self, actor: Actor) -> Sequence[StreamState]:
        """All streams, by app."""
        return await self._all()

    async def _all(self) -> list[StreamState]:
        config = await self.config.refresh()
        counts = await self.store.security_events.counts()
        found: list[StreamState] = []
        for one in await self.store.security_events.all():
            client = config.clients.get(one.client_id)
            number, oldest = counts.get(one.id, (0, None))
            name = client.name if client is not None else one.client_id
            found.append(StreamState(stream=one, app=name, waiting=number, oldest_at=oldest))
        return sorted(found, key=lambda one: (one.app.casefold(), one.stream.id))

    @operation("apps.read")
    async def get(self, actor: Actor, stream: str) -> StreamState:
        """One stream."""
        return await self._one(stream)

    async def _one(self, stream: str) -> StreamState:
        found = await self._all()
        for one in found:
            if one.stream.id == stream:
                return one
        near = nearest(stream, [one.stream.id for one in found])
        said = f"There is no stream {stream}" + (f"; there is {near}" if near else "")
        raise _refused(said, "Name one of the list of streams")

    @operation("apps.write")
    async def set_status(
        self, actor: Actor, stream: str, status: StreamStatus, reason: str | None
    ) -> EventStream:
        """Enable, pause or disable a stream."""
        old = (await self._one(stream)).stream
        return await self.streams.set_status(old.client_id, old.id, status, reason, self._noted(actor))

    @operation("apps.write")
    async def verify(self, actor: Actor, stream: str) -> EventStream:
        """Have a verification event sent."""
        old = (await self._one(stream)).stream
        if old.status != "enabled":
            raise _refused(f"{old.id} is {old.status}", "Resume it first")
        try:
            await self.streams.verify(old, None, self._noted(actor))
        except StreamRefused as problem:
            raise _refused(
                "A verification event was asked for just now", f"Wait {problem.retry_after or 0} s"
            ) from problem
        return old

    @operation("apps.write")
    async def delete(self, actor: Actor, stream: str) -> EventStream:
        """A stream, with the events that wait in it."""
        old = (await self._one(stream)).stream
        return await self.streams.delete(old.client_id, old.id, self._noted(actor))

    def _noted(self, actor: Actor) -> Noted:
        def line(kind: str, stream: EventStream) -> Write:
            now = self.clock.now()
            said = {"stream": stream.id, "status": stream.status}
            return self._event(actor, kind, now, client_id=stream.client_id, **said)

        return line


def _refused(reason: str, remedy: str) -> AdminError:
    return refused("stream_refused", reason=reason, remedy=remedy)
