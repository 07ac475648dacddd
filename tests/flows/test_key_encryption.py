"""Tests of a change of the key-encryption key under running nodes, and that no stored or logged value reveals a key."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from base64 import b64decode, b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from doorward.cli.run import opened
from tests.engines import BOTH
from tests.flows.apps import good
from tests.flows.processes import Fleet, processes
from tests.flows.settings import environment
from tests.flows.signing_in import tokens_by_challenge
from tests.hardware_token import HardwareToken
from tests.waiting import PATIENCE

ENGINES = BOTH


def command(fleet: Fleet, *arguments: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    """An operator's command, in a separate process."""
    program = [sys.executable, "-m", "doorward", *arguments, "--config", str(config or fleet.config)]
    return subprocess.run(
        program,
        cwd=fleet.config.parent,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def done(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_key_changes_under_running_nodes_and_every_token_stays_valid(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 2, database=own_database) as fleet:
        one, two = fleet.servers
        app = fleet.house.own
        app.base = one.base
        tokens = tokens_by_challenge(app, "ada@example.com", "openid orders:read")
        done(command(fleet, "keys", "rewrap", "--new-key-file", "new.key"))
        # one node starts with either key; the other is not restarted
        text = fleet.config.read_text()
        fleet.config.write_text(f'{text}[keys]\nsecret_key_file = "new.key"\n')
        one.stop()
        one.start()
        done(command(fleet, "keys", "rewrap", "--drop-old", "--yes"))
        done(command(fleet, "keys", "rotate", "--force"))
        for server in (one, two, one):
            app.base = server.base
            tokens = good(app.refresh(tokens.refresh))
            assert app.introspect(tokens.access)["active"] is True
        # from here on the old key opens nothing
        fleet.config.write_text(text)
        two.stop()
        with pytest.raises(RuntimeError, match="wrapped under another key: it needs key:"):
            two.start()
        fleet.config.write_text(f'{text}[keys]\nsecret_key_file = "new.key"\n')
        two.start()
        app.base = two.base
        assert good(app.refresh(tokens.refresh)).access


def openssl(folder: Path) -> dict[str, Any]:
    """`[keys]` for a key service made of openssl and a passphrase file."""
    (folder / "words").write_text("some words of the operator\n")
    coded = f"openssl enc -aes-256-cbc -pbkdf2 %s -pass file:{folder / 'words'}"
    line = "sh -c 'base64 -d | {} | base64 -w0'"
    return {"wrap_command": line.format(coded % "-e"), "unwrap_command": line.format(coded % "-d")}


@pytest.mark.parametrize("where", ["command", "token"])
def test_a_server_runs_from_its_first_start_on_under_a_key_that_it_never_sees(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    keys = openssl(tmp_path)
    if where == "token":
        token: HardwareToken = request.getfixturevalue("hardware_token")
        token.make_key("flow")
        keys = tomllib.loads(token.settings("flow"))
    with processes(tmp_path, 2, sections={"keys": keys}) as fleet:
        assert not list(tmp_path.glob("*.key"))
        app = fleet.house.own
        tokens = tokens_by_challenge(app, "ada@example.com", "openid orders:read")
        for server in fleet.servers:
            server.kill()
            server.start()
            app.base = server.base
            tokens = good(app.refresh(tokens.refresh))
            assert app.introspect(tokens.access)["active"] is True
        done(command(fleet, "keys", "rotate", "--force"))
        assert good(app.refresh(tokens.refresh)).access
        assert [trouble for server in fleet.servers for trouble in server.troubles()] == []


def test_neither_root_nor_key_is_in_the_database_or_in_a_log(
    tmp_path: Path, own_database: str | None, request: pytest.FixtureRequest
) -> None:
    with processes(tmp_path, 1, database=own_database) as fleet:
        app = fleet.house.own
        tokens = tokens_by_challenge(app, "ada@example.com", "openid orders:read")
        good(app.refresh(tokens.refresh))
        done(command(fleet, "keys", "rewrap", "--new-key-file", "new.key"))
        (tmp_path / "wrong.key").write_text(b64encode(b"w" * 32).decode())
        wrong = tmp_path / "wrong.toml"
        wrong.write_text(f'{fleet.config.read_text()}[keys]\nsecret_key_file = "wrong.key"\n')
        refused = command(fleet, "keys", "list", config=wrong)
        assert refused.returncode == 1

        async def root() -> bytes:
            async with opened(fleet.config) as container:
                return container.root.secret

        secrets = {"root": asyncio.run(root())}
        for name in ("doorward.key", "new.key", "wrong.key"):
            secrets[name] = b64decode((tmp_path / name).read_text())
        fleet.servers[0].stop()
        written = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".key"}
        written["refusal"] = (refused.stdout + refused.stderr).encode()
        if own_database is not None:
            written["dump"] = dump(own_database, request)
        assert len(secrets["root"]) == 32
        holder = "dump" if own_database else "doorward.db"
        assert b"root_secret.created" in written[holder], "the database was searched"
        for what, secret in secrets.items():
            for shape in (
                secret,
                secret.hex().encode(),
                b64encode(secret)[:-1],
                urlsafe_b64encode(secret)[:-1],
            ):
                found = [name for name, content in written.items() if shape in content]
                assert not found, f"{what} is in {found}"


def dump(url: str, request: pytest.FixtureRequest) -> bytes:
    """Every row of a database on PostgreSQL as text; binary values in hex."""
    programs: Path = request.getfixturevalue("postgres_programs")
    made = subprocess.run([str(programs / "pg_dump"), url], capture_output=True, check=True, timeout=PATIENCE)
    return made.stdout
