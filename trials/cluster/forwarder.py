"""Small proxy for machines without nginx, with the same behaviour: `python -m trials.cluster.forwarder`.

When a node refuses the connection, it never received the request, so the next node gets it. When a node dies
during the request, it may have processed it, so the client gets 503 with Retry-After.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

import uvloop

_READ_TIMEOUT = 30.0
_LARGEST = 1 << 20
_AWAY = b'{"error":"temporarily_unavailable","error_description":"Please try again in a moment."}'
_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
    b"cache-control: no-store\r\nx-answered-by: proxy\r\ncontent-length: %d\r\n\r\n%s" % (len(_AWAY), _AWAY)
)


class Forwarder:
    """Uses the nodes in turn; a connection to a node serves one request."""

    def __init__(self, nodes: Sequence[tuple[str, int]]) -> None:
        self._nodes = nodes
        self._turn = count()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, request after request."""
        peer: str = writer.get_extra_info("peername")[0]
        with suppress(OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head)) if _length(head) else b""
                writer.write(await self._forward(_forwarded(head, peer) + body))
                await writer.drain()
        with suppress(OSError):
            writer.close()

    async def _forward(self, request: bytes) -> bytes:
        node = await self._connect()
        if node is None:
            return _ANSWER
        reader, writer = node
        try:
            async with asyncio.timeout(_READ_TIMEOUT):
                writer.write(request)
                # the node closes after its answer, as the request's head demands
                answer = await reader.read()
        except (OSError, TimeoutError):
            return _ANSWER
        finally:
            writer.close()
        end = answer.find(b"\r\n\r\n")
        if end < 0 or len(answer) < end + 4 + _length(answer[: end + 4]):
            return _ANSWER
        return answer.replace(b"\r\nconnection: close", b"", 1)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for number in range(len(self._nodes)):
            host, port = self._nodes[(first + number) % len(self._nodes)]
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    return await asyncio.open_connection(host, port, limit=_LARGEST)
        return None


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def _forwarded(head: bytes, peer: str) -> bytes:
    lines = [
        line
        for line in head[:-4].split(b"\r\n")
        if not line.lower().startswith((b"connection:", b"x-forwarded-"))
    ]
    lines += [b"x-forwarded-for: " + peer.encode(), b"x-forwarded-proto: https", b"connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def _run(listen: tuple[str, int], certificate: str, key: str, nodes: Sequence[tuple[str, int]]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server = await asyncio.start_server(
        Forwarder(nodes).serve, *listen, ssl=tls, limit=_LARGEST, backlog=2048
    )
    await server.serve_forever()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    here, chain, secret, *behind = sys.argv[1:]
    uvloop.run(_run(_address(here), chain, secret, [_address(node) for node in behind]))
