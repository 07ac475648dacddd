"""nginx under test with the configuration of `deploy/nginx`, where only names, ports and paths differ.

with proxied(tmp_path, nginx, nodes=2) as place:
    place.issuer, place.nodes, place.tls        # what nginx serves is the issuer of all nodes
"""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import trustme

from tests.flows.forked import Forked
from tests.flows.seeds import House, seed_at
from tests.flows.settings import ROOT, environment, write_settings
from tests.ports import free_port
from tests.waiting import PATIENCE

DEPLOY = ROOT / "deploy"


@dataclass
class Node:
    """One `doorward serve` on its own port or socket; without a program and options of its own a fork (`tests/flows/forked.py`)."""

    config: Path
    host: str
    port: int
    log: Path
    program: Path | None = None
    """The folder with `doorward`, if it is not the one under test."""
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | Forked | None = field(default=None, repr=False)

    @property
    def upstream(self) -> str:
        """Its address in nginx's configuration."""
        return self.host if self.host.startswith("unix:") else f"{self.host}:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes] | Forked:
        """The process of the last start."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Start, and wait until it reports ready."""
        ready = self.told("server.ready")
        self._process = self._begun()
        until = time.monotonic() + PATIENCE
        while self.told("server.ready") == ready:
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.03)

    def _begun(self) -> subprocess.Popen[bytes] | Forked:
        if self.program is None and not self.options:
            place = {"DOORWARD_SERVER__HOST": self.host, "DOORWARD_SERVER__PORT": str(self.port)}
            surroundings = {**environment(), "DOORWARD_CONFIG": str(self.config), **place}
            return Forked(self.config.parent, self.log, surroundings)
        command = [sys.executable, "-m", "doorward", "serve", "--config", str(self.config)]
        command += ["--host", self.host, "--port", str(self.port), *self.options]
        surroundings = environment()
        if self.program is not None:
            surroundings["PYTHONPATH"] = f"{self.program}{os.pathsep}{surroundings['PYTHONPATH']}"
        with self.log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self.config.parent, env=surroundings)

    def told(self, event: str) -> int:
        """How often an event was logged."""
        return self.log.read_text().count(f'"event": "{event}"') if self.log.exists() else 0

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(PATIENCE) == 0, self.log.read_text()[-3000:]


@dataclass
class Place:
    """nginx, the nodes behind it, and the seed data."""

    issuer: str
    port: int
    folder: Path
    nodes: list[Node]
    house: House
    tls: ssl.SSLContext

    def http(self, *, source: str | None = None) -> httpx2.Client:
        """A client outside, at an address of this machine that is no proxy's."""
        transport = httpx2.HTTPTransport(verify=self.tls, local_address=source, trust_env=False)
        return httpx2.Client(base_url=self.issuer, transport=transport, timeout=PATIENCE)


def configuration(folder: Path, *, names: str, port: int, plain: int, upstreams: list[str]) -> Path:
    """nginx's whole configuration in `folder`: Doorward's part inside a minimal frame."""
    proxy = folder / "doorward-proxy.conf"
    proxy.write_text((DEPLOY / "nginx" / "doorward-proxy.conf").read_text("utf-8"))
    ours = (DEPLOY / "nginx" / "doorward.conf").read_text("utf-8")
    servers = "\n".join(f"    server {name} max_fails=1 fail_timeout=1s;" for name in upstreams)
    ours, count = re.subn(r"^    server 127\.0\.0\.1:8000 .*;$", servers, ours, flags=re.MULTILINE)
    assert count == 1
    for before, after in (
        ("listen 443 ssl http2", f"listen 127.0.0.1:{port} ssl http2"),
        ("listen [::]:443 ssl http2;\n", "\n"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen [::]:80;\n", "\n"),
        ("auth.example.com", names),
        ("/etc/ssl/doorward/fullchain.pem", str(folder / "tls.pem")),
        ("/etc/ssl/doorward/privkey.pem", str(folder / "tls.key")),
        ("/etc/nginx/doorward-proxy.conf", str(proxy)),
    ):
        assert before in ours, before
        ours = ours.replace(before, after)
    whole = folder / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    whole.write_text(
        f"{user}worker_processes 1;\npid {folder / 'nginx.pid'};\nerror_log {folder / 'nginx.log'} notice;\n"
        f"daemon off;\nevents {{ worker_connections 1024; }}\nhttp {{\n{temporary}{ours}\n}}\n"
    )
    return whole


def certificate(folder: Path, *names: str) -> ssl.SSLContext:
    """Write a certificate for nginx. Returns a context that trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert(*names)
    issued.private_key_pem.write_to_path(folder / "tls.key")
    (folder / "tls.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@contextmanager
def proxied(
    folder: Path,
    nginx: Path,
    *,
    nodes: int = 2,
    sockets: bool = False,
    path: str = "",
    sections: dict[str, dict[str, Any]] | None = None,
) -> Generator[Place]:
    """Run nginx and `nodes` nodes on one database, over Unix sockets if wanted. `path` is the issuer's."""
    tls = certificate(folder, "localhost")
    port = free_port()
    issuer = f"https://localhost:{port}{path}"
    proxies = {} if sockets else {"server": {"trusted_proxies": ["127.0.0.1"]}}
    config = write_settings(folder, issuer, {**proxies, **(sections or {})})
    house = seed_at(config, issuer, verify=tls)
    made = [
        Node(
            config,
            f"unix:{folder / f'{number}.sock'}" if sockets else "127.0.0.1",
            free_port(),
            folder / f"node-{number}.log",
        )
        for number in range(nodes)
    ]
    text = configuration(
        folder, names="localhost", port=port, plain=free_port(), upstreams=[node.upstream for node in made]
    )
    try:
        for node in made:
            node.start()
        with (folder / "nginx.out").open("wb") as out:
            running = subprocess.Popen([str(nginx), "-c", str(text)], stdout=out, stderr=out)
        place = Place(issuer, port, folder, made, house, tls)
        try:
            _wait_for(place, running)
            yield place
        finally:
            running.terminate()
            running.wait(PATIENCE)
    finally:
        house.close()
        for node in made:
            node.stop()


def _wait_for(place: Place, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    with place.http() as client:
        while True:
            assert running.poll() is None, (place.folder / "nginx.out").read_text()
            try:
                if client.get("/healthz").status_code == 200:
                    return
            except httpx2.HTTPError:
                assert time.monotonic() < until, (place.folder / "nginx.log").read_text()
            time.sleep(0.05)
