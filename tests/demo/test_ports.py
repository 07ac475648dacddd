"""Messages of `doorward dev` when a port is taken, no port is free, or a library is missing."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from doorward.server.sockets import bind
from doorward_demo.dev.places import Places, free_places, taken
from tests.demo import running
from tests.ports import HAS_IPV6


@pytest.mark.parametrize(("offset", "who"), [(0, "the server"), (1, "the demo app"), (2, "the demo API")])
def test_a_taken_port_is_reported_with_its_program_and_a_remedy(
    tmp_path: Path, offset: int, who: str
) -> None:
    places = free_places()
    with socket.socket() as other:
        other.bind(("127.0.0.1", places.port + offset))
        other.listen()
        assert taken(places) == (places.port + offset, who)
        done = running.run(tmp_path, "dev", "--no-browser", "--port", str(places.port))
    assert done.returncode == 1
    assert f"Port {places.port + offset} is taken, and {who} needs it." in done.stderr
    assert f"doorward dev --port {places.port + 100}" in done.stderr
    assert running.left_running(tmp_path) == []


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
def test_a_port_that_another_program_has_on_ipv6_counts_as_taken() -> None:
    places = free_places()
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", places.port + 1))
        other.listen()
        assert taken(places) == (places.port + 1, "the demo app")


def test_the_last_ports_have_no_room_for_three(tmp_path: Path) -> None:
    done = running.run(tmp_path, "dev", "--no-browser", "--port", "65535")
    assert done.returncode == 1
    assert "leaves no room" in done.stderr


def test_three_ports_in_a_row_are_found() -> None:
    places = free_places()
    assert taken(places) is None
    assert (places.issuer, places.shop, places.api) == tuple(
        f"http://localhost:{places.port + n}" for n in range(3)
    )


def test_a_given_port_determines_three_addresses() -> None:
    assert [who for _, who in Places(8000).named()] == ["the server", "the demo app", "the demo API"]


def test_a_missing_library_is_reported_with_its_installation(tmp_path: Path) -> None:
    import_nothing = tmp_path / "sitecustomize.py"
    import_nothing.write_text("import sys\nsys.modules['fastapi'] = None\n")
    environment = running.environment(tmp_path)
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"
    done = subprocess.run(
        running.command("dev", "--no-browser", "--port", str(free_places().port)),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=running.PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "need fastapi" in done.stderr
    assert "doorward[demo]" in done.stderr


def test_the_port_of_a_server_that_is_starting_is_taken(free_port: int) -> None:
    """It has bound the port, and does not listen yet."""
    with bind("127.0.0.1", free_port):
        assert taken(Places(free_port)) == (free_port, "the server")
