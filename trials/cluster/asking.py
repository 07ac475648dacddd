"""HTTP client of the trial: HTTP/1.1 over one kept connection. Its errors say whether the request may have
been processed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

TIMEOUT = 45.0
"""Longer than the proxy waits for a node, so that the proxy answers first."""


class NotSent(Exception):
    """The connection was refused: no node received the request."""


class Broken(Exception):
    """The connection ended, or no answer came, after the request was sent: its outcome is unknown."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server: its address, and for https the context and the name in the certificate."""

    host: str
    port: int
    name: str
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    def json(self) -> dict[str, str]:
        """The members of a JSON object, all as text."""
        try:
            decoded = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return {name: str(value) for name, value in decoded.items()} if isinstance(decoded, dict) else {}


@dataclass
class Line:
    """One connection, opened on demand and again after it ended."""

    place: Place
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def form(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a POST with a form."""
        sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        return await self.ask("POST", path, urlencode(fields).encode(), **sent)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send one request; in the names of `headers`, `_` stands for `-`. Raises `NotSent` and `Broken`."""
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        reader, writer = self._streams or await self._open()
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.place.name}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"content-length: {len(body)}")
        try:
            async with asyncio.timeout(TIMEOUT):
                writer.write("\r\n".join([*lines, "", ""]).encode() + body)
                await writer.drain()
                return await self._read(reader)
        except (OSError, EOFError, TimeoutError, ValueError) as problem:
            self.close()
            raise Broken(f"{type(problem).__name__}: {problem}") from None
        except asyncio.CancelledError:
            self.close()
            raise

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self.place
        try:
            async with asyncio.timeout(10):
                self._streams = await asyncio.open_connection(
                    place.host,
                    place.port,
                    ssl=place.tls,
                    server_hostname=place.name if place.tls else None,
                )
        except (OSError, TimeoutError) as problem:
            raise NotSent(f"{type(problem).__name__}: {problem}") from None
        return self._streams

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        headers: dict[str, str] = {}
        cookies: list[str] = []
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                cookies.append(value.strip())
            elif name:
                headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            body = await self._chunks(reader)
        elif status in {204, 304}:
            body = b""
        else:
            body = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body, tuple(cookies))

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        parts: list[bytes] = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
        return b"".join(parts)

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            with suppress(Exception):
                self._streams[1].close()
            self._streams = None
