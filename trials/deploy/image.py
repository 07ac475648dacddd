"""Image of `deploy/Containerfile`, tested against the guide: two containers on one volume, behind the nginx
of `deploy/nginx`."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.deploy.proxy import certificate, configuration
from tests.server.crowd import Crowd
from trials.deploy.ground import BUILD, ROOT, run
from trials.deploy.people import ISSUER, seed, signs_in, status, token
from trials.deploy.report import Report, until

_STORE = BUILD / "podman"
_PODMAN = (
    "podman",
    f"--root={_STORE}/root",
    f"--runroot={_STORE}/run",
    f"--tmpdir={_STORE}/tmp",
    "--cgroup-manager=cgroupfs",
    "--events-backend=file",
    "--log-level=error",
)
_FILE = ROOT / "deploy/Containerfile"
_PORTS = {"one": 8001, "two": 8002}
_CONFINED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--stop-timeout=30")


def podman(*words: str | Path, check: bool = True) -> str:
    """The output of Podman, which has its own image store."""
    return run(*_PODMAN, *words, check=check)


def built(tree: Path) -> float:
    """Build the image on that Debian, under the name at the top of the file. Returns the seconds that it took."""
    began = time.monotonic()
    name = re.findall(r"^FROM (\S+) AS", _FILE.read_text("utf-8"), re.MULTILINE)[0]
    podman("rm", "--all", "--force")
    podman("volume", "rm", "--all", "--force")
    run("sh", "-c", f"tar -C {tree} -c . | {' '.join(_PODMAN)} import --quiet - {name}")
    options = ("--isolation=chroot", "--pull=never", "--format=docker", "--quiet")
    podman("build", *options, "-f", _FILE, "-t", "doorward", ROOT)
    return time.monotonic() - began


def _leave() -> tuple[str, ...]:
    """Options for limits of this machine: without CAP_SYS_RESOURCE no container can raise limits or create a
    device cgroup."""
    held = int(re.findall(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)[0], 16)
    limits = ("--ulimit=nofile=16384:16384", "--ulimit=nproc=4096:4096")
    return () if held >> 24 & 1 else (*limits, "--cgroups=disabled")


def start(name: str) -> None:
    """Start one container as the guide does, and wait until it is ready."""
    given = {
        "ISSUER": ISSUER,
        "KEYS__SECRET_KEY_FILE": "/run/secrets/secret-key",
        "SERVER__TRUSTED_PROXIES": "10.88.0.1",
    }
    settings = [f"--env=DOORWARD_{key}={value}" for key, value in given.items()]
    way = (f"--publish=127.0.0.1:{_PORTS[name]}:8000", "--volume=doorward:/data", "--secret=secret-key")
    podman("run", "--detach", "--replace", "--name", name, *_leave(), *_CONFINED, *way, *settings, "doorward")
    until(60, lambda: status(f"http://127.0.0.1:{_PORTS[name]}/readyz") == 200)


def stop(name: str) -> str:
    """Send SIGTERM. Returns the exit status."""
    began = time.monotonic()
    podman("stop", name)
    left = podman("inspect", "--format", "{{.State.ExitCode}}", name).strip()
    return f"status {left} after {time.monotonic() - began:.1f} s"


def log(name: str) -> str:
    """Its log."""
    return run("sh", "-c", '"$@" 2>&1', "sh", *_PODMAN, "logs", name)


def doorward(*words: str, said: str | None = None) -> dict[str, Any]:
    """Run a command beside the server in its container."""
    return json.loads(run(*_PODMAN, "exec", "--interactive", "one", "doorward", *words, "--json", said=said))


def trial(report: Report, nginx: Path) -> None:
    """Start, inspect, use, stop, reload, kill."""
    secret = BUILD / "secret-key"
    secret.write_text(run("openssl", "rand", "-base64", "32"))
    podman("secret", "rm", "secret-key", check=False)
    podman("secret", "create", "secret-key", secret)
    for name in _PORTS:
        start(name)
    shown = podman(
        "exec",
        "one",
        "sh",
        "-c",
        "id -u; grep -E 'CapBnd|NoNewPrivs' /proc/1/status; touch /etc/x /opt/x || true",
    )
    user = shown.split()[0]
    told = f"user {user}, {', '.join(' '.join(line.split()) for line in shown.splitlines()[1:3])}"
    wrote = podman("diff", "one").split()
    kept = (user, re.findall(r"CapBnd:\s*0+\b", shown) != []) == ("10001", True) and "/etc/x" not in wrote
    report.hold("who the container is, with --read-only --cap-drop=all", told, kept=kept)
    podman("healthcheck", "run", "one")
    report.hold("the image's health check", "healthy", kept=True)
    till, batch = seed(doorward)
    tls = certificate(BUILD, "localhost")
    nodes = [f"127.0.0.1:{port}" for port in _PORTS.values()]
    text = configuration(BUILD, names="localhost", port=8443, plain=8080, upstreams=nodes)
    with (
        (BUILD / "nginx.out").open("wb") as out,
        subprocess.Popen([nginx, "-c", text], stdout=out, stderr=out) as proxy,
    ):
        until(20, lambda: status("http://127.0.0.1:8080/") != 0)
        inside = [f"http://{node}" for node in nodes]
        report.hold(
            "a person signs in at either, an app gets a token",
            "yes",
            kept=all(signs_in(till, base) and token(batch, base) for base in inside),
        )
        _moved(report, lambda: _crowd(tls, batch.client_id, str(batch.secret)))
        proxy.terminate()
    podman("kill", "--signal=KILL", "one")
    start("one")
    report.hold(
        "kill -9 of a container, and another on the same volume",
        "everybody is there",
        kept=signs_in(till, inside[0]),
    )
    left = [stop(name) for name in _PORTS]
    logs = "".join(map(log, _PORTS))
    report.hold(
        "both containers stopped at the end",
        ", ".join(left),
        kept=all(" 0 " in one for one in left) and "Traceback" not in logs,
    )


def _moved(report: Report, crowd: Callable[[], Crowd]) -> None:
    """Stop and start one container after the other, then reload."""

    def in_turn() -> str:
        told: list[str] = []
        for name in _PORTS:
            told.append(stop(name))
            start(name)
            time.sleep(2)  # nginx tries this server again
        return ", ".join(told)

    def reload() -> str:
        for name in _PORTS:
            podman("kill", "--signal=HUP", name)
            until(60, lambda name=name: '"server.reloaded"' in log(name))
        return "both are the same containers"

    report.under_load("SIGTERM to one after the other, and a new one each", crowd(), in_turn)
    report.under_load("SIGHUP to one after the other", crowd(), reload)


def _crowd(tls: ssl.SSLContext, client: str, secret: str) -> Crowd:
    def connect() -> http.client.HTTPConnection:
        return http.client.HTTPSConnection("localhost", 8443, timeout=30, context=tls)

    return Crowd(8443, (client, secret), kept=3, fresh=3, connect=connect)
