"""npm's MCP clients: the SDK in a process that is led by JSON lines, and programs that print the address for the browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from pathlib import Path
from typing import Any, Self, cast

import httpx2

from tests.flows.browsing import Person
from tests.peers.mcp_site import ADA, approve
from tests.waiting import PATIENCE, until
from tools.system import NodePeers

SCRIPT = Path(__file__).with_name("mcp_client.mjs")
_ADDRESS = re.compile(r"https?://\S+/authorize\?\S+")


class SdkClient:
    """`@modelcontextprotocol/sdk`, and a person with a browser. `asked` are the addresses that were opened."""

    def __init__(
        self, peers: NodePeers, person: Person, email: str = ADA, *, ca: Path | None = None, **task: Any
    ) -> None:
        self._process = subprocess.Popen(
            [str(peers.node), str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(peers, ca),
        )
        self._person, self._email = person, email
        self.asked: list[str] = []
        self._say(task)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def do(self, command: str, **values: Any) -> dict[str, Any]:
        """Run one command; on the way the person approves what is asked of them."""
        self._say({"do": command, **values})
        said = self._hear()
        while "url" in said:
            self.asked.append(said["url"])
            self._say({"url": approve(self._person, said["url"], self._email).url})
            said = self._hear()
        return said

    def _say(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        return cast("dict[str, Any]", json.loads(line))


class Program:
    """A program of npm that prints the address for the browser, and listens for the way back itself."""

    def __init__(
        self, peers: NodePeers, script: str, *arguments: str, ca: Path | None = None, folder: Path
    ) -> None:
        self._process = subprocess.Popen(
            [str(peers.node), str(peers.folder / "node_modules" / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={
                **_environment(peers, ca),
                "MCP_REMOTE_CONFIG_DIR": str(folder),
                "HOME": str(folder),
                # nothing that opens a browser
                "PATH": str(peers.node.parent),
            },
        )
        self.said: list[str] = []
        self._asked = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def text(self) -> str:
        """Everything that it printed."""
        return "".join(self.said)

    def approved_by(self, person: Person, email: str = ADA) -> str:
        """The next address that it prints, opened and approved; the browser then goes on to the program. Returns the address."""
        until(lambda: len(_ADDRESS.findall(self.text)) > self._asked or self.ended(), lambda: self.text)
        url = _ADDRESS.findall(self.text)[self._asked]
        self._asked += 1
        with httpx2.Client(trust_env=False, timeout=PATIENCE) as browser:
            arrived = browser.get(approve(person, url, email).url)
            assert arrived.status_code == 200, arrived.text
        return url

    def send(self, message: dict[str, Any]) -> None:
        """Write one JSON-RPC message on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def answer(self, number: int) -> dict[str, Any]:
        """The JSON-RPC answer with this id."""
        found: list[dict[str, Any]] = []
        wanted = f'"id":{number}'

        def come() -> bool:
            lines = [line for line in self.text.splitlines() if line.startswith('{"') and wanted in line]
            found[:] = [json.loads(line) for line in lines]
            return bool(found) or self.ended()

        until(come, lambda: self.text)
        assert found, self.text
        return found[0]

    def ended(self) -> bool:
        """Whether the program has ended."""
        return self._process.poll() is not None

    def status(self) -> int:
        """Its exit status, when it has ended."""
        return self._process.wait(PATIENCE)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)


def _environment(peers: NodePeers, ca: Path | None) -> dict[str, str]:
    extra = {"NODE_EXTRA_CA_CERTS": str(ca)} if ca is not None else {}
    return {**os.environ, "PEERS_FOLDER": str(peers.folder), "NO_COLOR": "1", **extra}
