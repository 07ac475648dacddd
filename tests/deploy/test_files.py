"""Files in `deploy/`: they name existing files, settings and commands, and systemd accepts the units.

No image is built and no machine is booted here: `make deploy-trial` does that as root.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from doorward.cli.app import app
from doorward.settings import load
from doorward.settings.load import known_settings
from tests.flows.settings import ROOT
from tests.waiting import PATIENCE
from trials.deploy.machine import shown

DEPLOY = ROOT / "deploy"
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8")
SERVICE = (DEPLOY / "systemd" / "doorward.service").read_text("utf-8")


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of that name, with continued lines joined."""
    joined = CONTAINER.replace("\\\n", " ")
    return re.findall(rf"^{name} (.*)$", joined, flags=re.MULTILINE)


def commands() -> dict[str, set[str]]:
    """Each command of `doorward` with its options."""
    root = typer.main.get_command(app)
    found = getattr(root, "commands", {})
    return {name: {flag for p in command.params for flag in p.opts} for name, command in found.items()}


def test_the_image_copies_only_existing_files() -> None:
    copied = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    assert len(copied) >= 3
    for source, into in copied:
        assert (ROOT / source).exists(), source
        assert into == f"/src/{source}"


def test_everything_fetched_for_an_installation_has_a_hash() -> None:
    """This includes the packages' build tools: unless told otherwise, pip fetches them itself, unpinned."""
    guides = [ROOT / "docs/guides/deploy.md", DEPLOY / "Containerfile"]
    commands = [
        command
        for guide in guides
        for line in guide.read_text("utf-8").replace("\\\n", " ").splitlines()
        for command in re.findall(r"bin/pip (?:install|wheel)[^&]*", line)
    ]
    assert len(commands) >= 6
    for command in commands:
        words = set(command.split())
        local = {"--no-deps"} < words and words & {"--no-index", "--no-build-isolation"}
        assert "--require-hashes" in words or local, command


def test_the_image_runs_commands_that_exist_and_not_as_root() -> None:
    entry, command = json.loads(instructions("ENTRYPOINT")[0]), json.loads(instructions("CMD")[0])
    assert entry == ["doorward"]
    assert command[0] in commands()
    health = json.loads(re.findall(r"CMD (\[.*\])", instructions("HEALTHCHECK")[0])[0])
    assert health[0] == "doorward"
    assert set(health[2:]) <= commands()[health[1]]
    user = instructions("USER")
    assert user == ["10001"]
    assert CONTAINER.index("\nUSER ") > CONTAINER.rindex("\nRUN ")


def test_the_image_sets_settings_that_exist(tmp_path: Path) -> None:
    pairs = dict(re.findall(r"(DOORWARD_\w+)=(\S+)", " ".join(instructions("ENV"))))
    assert len(pairs) >= 3
    settings = load(None, {**pairs, "DOORWARD_ISSUER": "https://auth.example.com"})
    assert (settings.server.host, settings.port) == ("0.0.0.0", 8000)
    assert settings.database == "/data/doorward.db"


def test_the_unit_names_settings_and_commands_that_exist() -> None:
    variables = {f"DOORWARD_{name.upper().replace('.', '__')}" for name in known_settings()}
    set_here = re.findall(r"^Environment=(DOORWARD_\w+)=", SERVICE, flags=re.MULTILINE)
    assert set_here
    assert {
        name for name in set_here if name not in variables and name.removesuffix("_FILE") not in variables
    } == set()
    started = re.findall(r"^ExecStart=\S+/doorward (.*)$", SERVICE, flags=re.MULTILINE)[0].split()
    assert {word for word in started[1:] if word.startswith("--")} <= commands()[started[0]]


def test_the_unit_restarts_without_limit_and_uses_only_programs_of_every_debian() -> None:
    """By default systemd gives up after five starts in ten seconds, and closes the socket too; a minimal
    Debian has no /bin/kill."""
    lines = SERVICE.splitlines()
    assert {"StartLimitIntervalSec=0", "Restart=on-failure"} <= set(lines)
    assert lines.index("StartLimitIntervalSec=0") < lines.index("[Service]")
    programs = re.findall(r"^Exec\w+=[-@:+!]*(\S+)", SERVICE, flags=re.MULTILINE)
    assert set(programs) == {"/srv/doorward/current/bin/doorward", "/bin/sh"}


def test_the_guide_shows_the_commands_of_the_trial(tmp_path: Path) -> None:
    guide = shown()
    assert "/srv/doorward/current" in guide.install
    secrets = re.findall(r"/etc/doorward/[\w-]+$", guide.secrets, flags=re.MULTILINE)
    handed = re.findall(r"^LoadCredential=[\w-]+:(\S+)$", SERVICE, flags=re.MULTILINE)
    assert set(handed) == set(secrets) - {"/etc/doorward"}
    named = dict(pair.split("=", 1) for pair in guide.environment)
    assert {named["DOORWARD_DATABASE_FILE"], named["DOORWARD_KEYS__SECRET_KEY_FILE"]} == set(handed)
    (tmp_path / "doorward.toml").write_text(guide.settings)
    assert load(tmp_path / "doorward.toml", {}).issuer == "https://auth.example.com"


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze: not installed (Debian's package systemd has it)")
    service = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", SERVICE, flags=re.MULTILINE)
    (tmp_path / "doorward.service").write_text(service)
    (tmp_path / "doorward.socket").write_bytes((DEPLOY / "systemd" / "doorward.socket").read_bytes())
    done = subprocess.run(
        [
            analyze,
            "verify",
            "--man=no",
            str(tmp_path / "doorward.service"),
            str(tmp_path / "doorward.socket"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    ours = [line for line in done.stderr.splitlines() if "doorward" in line]
    assert ours == [], done.stderr


def test_a_wrong_unit_is_detected(tmp_path: Path) -> None:
    """Shows that the test above can fail."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze: not installed (Debian's package systemd has it)")
    (tmp_path / "doorward.service").write_text(
        f"[Service]\nExecStart={sys.executable}\nProtectSystm=strict\nType=notfy\n"
    )
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / "doorward.service")],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert "doorward.service" in done.stderr
