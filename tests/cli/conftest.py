"""Fixtures that run commands as a person does: arguments in, status and both outputs back, in a temporary folder."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import main


@dataclass(frozen=True)
class Ended:
    """Result of a command."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a doorward.toml, which is the working directory."""
    (tmp_path / "doorward.toml").write_text(
        'issuer = "http://127.0.0.1:9000"\ndevelopment = true\n[passwords]\nthreads = 1\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DOORWARD_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def run(house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("user", "list", stdin="…")`."""
    assert house.is_dir()

    def command(*arguments: str, stdin: str | bytes = "") -> Ended:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        capsys.readouterr()
        status = main(arguments)
        seen = capsys.readouterr()
        return Ended(status, seen.out, seen.err)

    return command


MakeOnce = Callable[[str, Callable[[], object]], None]


@pytest.fixture
def make_once(house: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """`make_once(name, make)`: the house as `make` furnishes it; for later tests it is copied."""
    before = (house / "doorward.toml").read_bytes()

    def furnish(name: str, make: Callable[[], object]) -> None:
        kept = tmp_path_factory.getbasetemp() / f"house-{name}"
        if kept.exists() and (kept / "doorward.toml").read_bytes() == before:
            shutil.copytree(kept, house, dirs_exist_ok=True)
            return
        make()
        if not kept.exists():
            shutil.copytree(house, kept)

    return furnish


@pytest.fixture
def stocked(run: Run, make_once: MakeOnce) -> Run:
    """The same, in a house with an API, a role, an app and a person."""
    steps = [
        (
            "api",
            "create",
            "https://api.example.com",
            "--name",
            "orders",
            "--permission",
            "orders:read=See orders",
        ),
        ("role", "create", "customer", "--allow", "orders:orders:read", "--default"),
        ("app", "create", "web", "--redirect", "https://app.example.com/cb", "--api", "orders"),
        ("user", "create", "ada@example.com", "--no-password"),
    ]

    def make() -> None:
        for step in steps:
            ended = run(*step)
            assert ended.status == 0, ended.err

    make_once("stocked", make)
    return run
