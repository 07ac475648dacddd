"""Change notification between processes over PostgreSQL LISTEN, on a connection of its own.

A trigger sends the notification in the commit itself (migrations/0001_first.postgres.sql), so that no code path can
forget it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast, final

from doorward.core.ports.metrics import Metrics
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.pool import Connection
from doorward.storage.postgres.url import DatabaseUrl, shown
from doorward.storage.postgres.url_words import understood, with_words

_CHANNEL = "doorward"
_HELLO = "hello "
_HELLO_SECONDS = 2.0
# A hanging connection delivers nothing and raises no error, so it is tested periodically. Until then every process
# polls.
_BEAT_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
# Behind a pooler the next try will rarely succeed.
_DEAF_PAUSE = 300.0

_DEAF = (
    "changes by others are looked for every moment and not announced: LISTEN does not come through, as behind a pooler in"
    " transaction mode"
)


class _Listening(Connection, Protocol):
    """Further methods of asyncpg's connection used here."""

    async def add_listener(self, channel: str, callback: Callable[[Any, int, str, str], None]) -> None: ...
    def add_termination_listener(self, callback: Callable[[Any], None]) -> None: ...


class _Deaf(Exception):
    """LISTEN was accepted, but notifications do not arrive."""


@final
class PostgresChangeNotifier:
    """Change notifier on the database at `url`. `tell` receives messages for the operator, once for each kind."""

    def __init__(
        self,
        *,
        url: str,
        metrics: Metrics,
        options: PostgresOptions | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        chosen = options or PostgresOptions()
        plain = url.reveal() if isinstance(url, DatabaseUrl) else url
        self._name = shown(plain)
        self._connect = Connector(plain, chosen).connect
        self._pooled = not with_words(chosen, understood(plain)).prepared_statements
        self._tell = tell
        self._told: set[str] = set()
        self._hello: asyncio.Event = asyncio.Event()
        self._word = ""
        self.connected = False
        """Whether a notification has arrived on the current connection."""
        self._count_lost = metrics.link("database_bell", lambda: self.connected)

    async def publish(self) -> None:
        """Does nothing: the commit has sent the notification."""

    async def run(self, wake: Callable[[], None]) -> None:
        """Listen for ever. Raises only when cancelled."""
        pause = _FIRST_PAUSE
        while True:
            if self._pooled:
                self._say(_DEAF)
                await asyncio.Event().wait()
            try:
                await self._hear(wake)
            except _Deaf:
                self._say(_DEAF)
                pause = _DEAF_PAUSE
            except Exception as problem:  # noqa: BLE001 - whatever the way to the database meets, it is tried again
                self._say(f"no announcements from {self._name} for now: {type(problem).__name__}")
            if self.connected:
                self.connected = False
                pause = _FIRST_PAUSE
                self._count_lost()
                # changes announced since the connection broke must be looked up
                wake()
            await asyncio.sleep(pause)
            pause = min(pause * 2, max(pause, _LONGEST_PAUSE))

    async def _hear(self, wake: Callable[[], None]) -> None:
        def heard(_connection: Any, _process: int, _channel: str, payload: str) -> None:
            if payload == _HELLO + self._word:
                self._hello.set()
            elif not payload.startswith(_HELLO):
                wake()

        connection = cast("_Listening", await self._connect())
        try:
            over = asyncio.Event()
            connection.add_termination_listener(lambda _: over.set())
            await connection.add_listener(_CHANNEL, heard)
            await self._greet(connection)
            self.connected = True
            self._told.clear()
            wake()
            while True:
                try:
                    async with asyncio.timeout(_BEAT_SECONDS):
                        await over.wait()
                    return
                except TimeoutError:
                    await connection.fetch("SELECT 1")
        finally:
            connection.terminate()

    async def _greet(self, connection: Connection) -> None:
        """Test that a notification from another connection arrives. One's own also arrives on a pooler's shared
        connection, which proves nothing."""
        ((self._word,),) = await connection.fetch("SELECT gen_random_uuid()::text")
        self._hello.clear()
        other = await self._connect()
        try:
            await other.fetch("SELECT pg_notify($1, $2)", _CHANNEL, _HELLO + self._word)
            async with asyncio.timeout(_HELLO_SECONDS):
                await self._hello.wait()
        except TimeoutError:
            raise _Deaf from None
        finally:
            other.terminate()

    def _say(self, text: str) -> None:
        if self._tell is not None and text not in self._told:
            self._told.add(text)
            self._tell(text)
