"""Driver of the npm client: one process per task, which reads the task and the browser's return address on
standard input."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, cast

from tests.flows.browsing import Page
from tests.flows.running import Running
from tools.system import NodePeers

SCRIPT = Path(__file__).with_name("openid_client.mjs")


class NodeClient:
    """An npm client in its own Node process, which trusts the server's certificate; `openid-client`, unless `script` drives another."""

    def __init__(
        self, peers: NodePeers, server: Running, task: dict[str, Any], *, script: Path = SCRIPT
    ) -> None:
        extra = {"NODE_EXTRA_CA_CERTS": str(server.ca)} if server.ca is not None else {}
        self._process = subprocess.Popen(
            [str(peers.node), str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PEERS_FOLDER": str(peers.folder), **extra},
        )
        self._say({"issuer": server.issuer, **task})

    def __enter__(self) -> NodeClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def came_back(self, page: Page) -> None:
        """Pass on the browser's result: an address, or a form."""
        assert page.outside, f"{page.url}: {page.words[:400]}"
        self._say({"form": page.sent} if page.sent else {"url": page.url})

    def go_on(self) -> None:
        """Let it continue."""
        self._say({})

    def _say(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Read its next output line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        said = cast("dict[str, Any]", json.loads(line))
        assert "failed" not in said, said
        return said
