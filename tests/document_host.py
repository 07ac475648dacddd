"""Host of client-ID metadata documents: an https server on loopback, whose authority a server trusts by its settings.

async with document_host(tmp_path) as host:
    host.put("/app.json", host.document("/app.json"))
    async with front_channel(**host.settings()) as front: ...
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import trustme
from msgspec.json import encode

from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy

CALLBACK = "https://app.example.net/callback"


class DocumentHost:
    """`asked` are the paths of all requests; `holding` delays answers until it is set again."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.ca_file = folder / "documents-ca.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)
        self.asked: list[str] = []
        self.port = 0
        self.go = asyncio.Event()
        self.go.set()
        self._answers: dict[str, bytes] = {}

    def url(self, path: str) -> str:
        """The address of a document."""
        return f"https://localhost:{self.port}{path}"

    def document(self, path: str, **members: Any) -> dict[str, Any]:
        """The document of a public app; None leaves a member out."""
        values = {
            "client_id": self.url(path),
            "client_name": "Example Tool",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            **members,
        }
        return {name: value for name, value in values.items() if value is not None}

    def put(
        self,
        path: str,
        body: object,
        *,
        status: int = 200,
        kind: str = "application/json",
        **headers: str,
    ) -> str:
        """Answer with this from now on; returns the address. `body`: bytes as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else encode(body)
        said = {"content-type": kind, "content-length": str(len(raw)), "connection": "close", **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in said.items())
        self._answers[path] = f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + raw
        return self.url(path)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """The settings of a server that accepts documents of this host."""
        policy = {"accept": "any", "private_hosts": ("localhost",), **changes}
        return {"ca_file": str(self.ca_file), "client_documents": ClientDocumentPolicy(**policy)}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.asked.append(path)
            await self.go.wait()
            writer.write(self._answers.get(path, b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n"))
            await writer.drain()
        writer.close()


@asynccontextmanager
async def document_host(folder: Path) -> AsyncGenerator[DocumentHost]:
    """The host; it is stopped at the end."""
    host = DocumentHost(folder)
    side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    host.authority.issue_cert("localhost", "127.0.0.1").configure_cert(side)
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, ssl=side)
    host.port = server.sockets[0].getsockname()[1]
    yield host
    server.close()
