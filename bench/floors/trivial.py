"""Protocol that answers every request with the same 700 bytes, to measure how much load bench/load.py can produce."""

import asyncio
import sys
from typing import cast

import uvloop

_BODY = b'{"access_token":"' + b"x" * 640 + b'","token_type":"Bearer","expires_in":600}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    + str(len(_BODY)).encode()
    + b"\r\n\r\n"
    + _BODY
)


class _Trivial(asyncio.Protocol):
    """One segment in, one answer out: correct only for requests that fit in one segment, as all of the benchmark do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Trivial, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
