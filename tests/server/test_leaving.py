"""Tests of a graceful stop: readiness ends first, accepted connections are answered, and a full server sends Retry-After."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.server.conftest import Serve
from tests.server.crowd import Crowd
from tests.server.test_reload import service
from tests.waiting import PATIENCE, keeps, until


def setting(folder: Path, section: str, line: str) -> None:
    """Add one line to doorward.toml."""
    path = folder / "doorward.toml"
    path.write_text(f"{path.read_text()}[{section}]\n{line}\n")


def asked(connection: http.client.HTTPConnection, path: str, **headers: str) -> http.client.HTTPResponse:
    """The response, read to its end."""
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer


@pytest.mark.parametrize("workers", ["1", "2"])
def test_readiness_ends_before_the_port_closes(
    serve: Serve, tmp_path: Path, free_port: int, workers: str
) -> None:
    setting(tmp_path, "server", "drain = 6")
    served = serve("--workers", workers).ready()
    with closing(http.client.HTTPConnection("127.0.0.1", free_port, timeout=PATIENCE)) as kept:
        assert asked(kept, "/healthz").getheader("connection") is None
        served.process.send_signal(signal.SIGTERM)
        until(lambda: not served.answers("/readyz"))

        def told_to_close() -> bool:
            answer = asked(kept, "/jwks")
            assert answer.status == 200
            return answer.getheader("connection") == "close"

        # the supervisor notifies its workers one after the other, and another worker may have answered
        until(told_to_close)

    def status(path: str) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", free_port, timeout=PATIENCE)) as fresh:
            return asked(fresh, path).status

    until(lambda: status("/readyz") == 503)
    assert status("/jwks") == status("/healthz") == 200
    assert served.process.wait(PATIENCE) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port), 5)


def test_a_second_sigterm_ends_the_wait(serve: Serve, tmp_path: Path) -> None:
    # the longest, and longer than the test waits
    setting(tmp_path, "server", "drain = 300")
    served = serve().ready()
    served.process.send_signal(signal.SIGTERM)
    until(lambda: not served.answers("/readyz"))
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE / 2) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_open_connection_is_answered_at_a_stop(serve: Serve, free_port: int, workers: str) -> None:
    """Each thread connects, sends a request and is answered, or is refused; no established connection is reset."""
    served = serve("--workers", workers).ready()
    broken: list[str] = []
    refused = threading.Event()
    answered: list[int] = []

    def ask() -> None:
        while not refused.is_set():
            with closing(http.client.HTTPConnection("127.0.0.1", free_port, timeout=PATIENCE)) as fresh:
                try:
                    fresh.connect()
                except OSError:
                    refused.set()
                    return
                try:
                    answered.append(asked(fresh, "/jwks").status)
                except (OSError, http.client.HTTPException) as problem:
                    broken.append(repr(problem))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 50 or broken)
    time.sleep(0.5)
    assert served.stop() == 0
    for thread in threads:
        thread.join(PATIENCE)
    assert set(answered) == {200}
    assert broken == []


def test_a_full_server_sends_retry_after_and_open_connections_go_on(
    serve: Serve, tmp_path: Path, free_port: int
) -> None:
    setting(tmp_path, "server", "connections = 16")
    serve().ready()
    inside = [http.client.HTTPConnection("127.0.0.1", free_port, timeout=PATIENCE) for _ in range(16)]
    outside = http.client.HTTPConnection("127.0.0.1", free_port, timeout=PATIENCE)
    try:
        for connection in inside:
            assert asked(connection, "/jwks").status == 200
        full = asked(outside, "/jwks")
        assert (full.status, full.getheader("retry-after"), full.getheader("connection")) == (
            503,
            "2",
            "close",
        )
        page = asked(outside, "/sign-in", accept="text/html")
        assert (page.status, page.getheader("content-type")) == (503, "text/html; charset=utf-8")
        assert page.getheader("retry-after") == "2"
        # liveness is reported however full it is
        assert (asked(outside, "/healthz").status, asked(outside, "/readyz").status) == (200, 200)
        assert all(asked(connection, "/jwks").status == 200 for connection in inside)

        def seconds_until_closed() -> float:
            with socket.create_connection(("127.0.0.1", free_port), PATIENCE) as silent:
                began = time.monotonic()
                with suppress(ConnectionResetError):
                    assert silent.recv(1) == b""
                return time.monotonic() - began

        # a connection beyond the limit without a request is closed within two seconds, not after thirty
        keeps(8, seconds_until_closed)
        inside.pop().close()

        def accept_connection() -> bool:
            outside.close()
            return asked(outside, "/jwks").status == 200

        until(accept_connection)
    finally:
        for connection in (*inside, outside):
            connection.close()


# As systemd starts a service whose socket it has opened: descriptor 3, and the process id it is meant for.
_ACTIVATE = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ |= {'LISTEN_FDS': '1', 'LISTEN_PID': str(os.getpid())};"
    "os.execv(sys.executable, [sys.executable, '-m', 'doorward', 'serve', *sys.argv[2:]])"
)


@contextmanager
def activated(
    folder: Path, listener: socket.socket, told: list[bytes], *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A server on a socket that the test keeps; the block begins after READY=1, and later messages are in `told` at the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, (folder / "log").open("ab") as log:
        place = folder / "notify"
        place.unlink(missing_ok=True)
        manager.bind(str(place))
        manager.settimeout(PATIENCE)
        process = subprocess.Popen(
            [sys.executable, "-c", _ACTIVATE, str(listener.fileno()), *arguments],
            cwd=folder,
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path), "NOTIFY_SOCKET": str(place)},
            pass_fds=[listener.fileno()],
            stderr=log,
        )
        try:
            assert manager.recv(1024) == b"READY=1", (folder / "log").read_text()
            yield process
            process.terminate()
            heard = [manager.recv(1024)]
            while heard[-1] != b"STOPPING=1":
                heard.append(manager.recv(1024))
            assert process.wait(PATIENCE) == 0
            told += [message.partition(b"\n")[0] for message in heard]
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.soak)])
def test_stopping_and_starting_on_a_socket_of_the_service_manager_loses_nothing(
    serve: Serve, tmp_path: Path, free_port: int, workers: str
) -> None:
    del serve  # it has written the settings
    app = service(tmp_path)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", free_port))
        listener.listen(2048)
        crowd = Crowd(free_port, app)
        with crowd:
            for _ in range(3):
                with activated(tmp_path, listener, [], "--workers", workers):
                    crowd.has_asked(20, "kept", "fresh")
            with activated(tmp_path, listener, [], "--workers", workers):
                crowd.__exit__()
        assert crowd.failures == []


def test_a_reload_is_reported_to_the_service_manager(serve: Serve, tmp_path: Path, free_port: int) -> None:
    del serve
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port))
        listener.listen()
        told: list[bytes] = []
        with activated(tmp_path, listener, told, "--workers", "2") as process:
            log = tmp_path / "log"
            process.send_signal(signal.SIGHUP)
            until(lambda: "server.reloaded" in log.read_text(), log.read_text)
            with closing(http.client.HTTPConnection("127.0.0.1", free_port, timeout=PATIENCE)) as client:
                client.request("GET", "/readyz")
                assert json.load(client.getresponse())["status"] == "ok"
    assert told == [b"RELOADING=1", b"READY=1", b"STOPPING=1"]
