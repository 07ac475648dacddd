"""Tests of changes to the wrapping of the root secret: the operator sees it, changes it, and is not locked out by accident."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Run
from tests.hardware_token import HardwareToken

ISSUER = 'issuer = "http://127.0.0.1:9000"\ndevelopment = true\n'


def keks(ended: Ended) -> list[str]:
    """The key-encryption keys of a `--json` answer; that of the settings first."""
    assert ended.status == 0, ended.err
    return [one["kek"] for one in sorted(ended.document, key=lambda one: not one["in_use"])]


def settings(house: Path, keys: str, name: str = "doorward.toml") -> None:
    """A settings file with other `[keys]`."""
    (house / name).write_text(f"{ISSUER}[keys]\n{keys}\n")


def sealed_with_words(house: Path) -> str:
    """The lines of `[keys]` for a key service made of openssl and a passphrase file."""
    (house / "words").write_text("some words of the operator\n")
    lines: list[str] = []
    for setting, way in (("wrap_command", "-e"), ("unwrap_command", "-d")):
        coded = f"openssl enc -aes-256-cbc -pbkdf2 {way} -pass file:{house / 'words'}"
        lines.append(f"{setting} = \"sh -c 'base64 -d | {coded} | base64 -w0'\"")
    return "\n".join(lines)


def test_the_wrapping_of_the_first_start_is_listed_with_its_fingerprint(stocked: Run) -> None:
    (one,) = stocked("keys", "wrappings", "--json").document
    assert re.fullmatch(r"key:[0-9a-f]{16}", one["kek"])
    assert one["in_use"] is True
    assert "wrapped" not in one
    assert one["kek"] in stocked("keys", "wrappings").out


def test_a_key_file_is_replaced_without_interruption(stocked: Run, house: Path) -> None:
    before = stocked("keys", "list", "--json").document
    made = stocked("keys", "rewrap", "--new-key-file", "next.key", "--json")
    old, new = keks(made)
    assert stat.S_IMODE((house / "next.key").stat().st_mode) == 0o600
    assert sorted(one["in_use"] for one in made.document) == [False, True]
    # the old settings still open it, and so do the new ones
    assert stocked("keys", "list", "--json").document == before
    settings(house, 'secret_key_file = "next.key"')
    assert stocked("keys", "list", "--json").document == before
    assert keks(stocked("keys", "rewrap", "--drop-old", "--yes", "--json")) == [new]
    settings(house, 'secret_key_file = "doorward.key"')
    refused = stocked("keys", "list")
    assert refused.status == 1
    assert f"needs {new}; given was {old} ({house / 'doorward.key'})" in refused.err


def test_the_next_step_is_shown(stocked: Run) -> None:
    ended = stocked("keys", "rewrap", "--new-key-file", "next.key")
    assert ended.status == 0
    assert "doorward keys rewrap --drop-old" in ended.err
    assert "these settings" in ended.out
    assert "drop-old" not in stocked("keys", "rewrap", "--drop-old", "--yes").err


def test_dropping_a_wrapping_asks_first(stocked: Run) -> None:
    ended = stocked("keys", "rewrap", "--new-key-file", "next.key", "--drop-old")
    assert ended.status == 1
    assert "--yes" in ended.err
    assert len(keks(stocked("keys", "wrappings", "--json"))) == 1


def test_the_root_moves_behind_a_command_and_back(stocked: Run, house: Path) -> None:
    before = stocked("keys", "list", "--json").document
    settings(house, sealed_with_words(house), "command.toml")
    _, new = keks(stocked("keys", "rewrap", "--new-config", "command.toml", "--json"))
    assert new.startswith("command:sh:")
    (house / "command.toml").rename(house / "doorward.toml")
    assert stocked("keys", "list", "--json").document == before
    assert keks(stocked("keys", "rewrap", "--drop-old", "--yes", "--json")) == [new]
    (house / "words").write_text("other words\n")
    refused = stocked("keys", "list")
    assert refused.status == 1
    # openssl itself may or may not detect the wrong passphrase
    assert "does not open its wrapping" in refused.err or "keys.unwrap_command" in refused.err
    assert "Traceback" not in refused.err
    (house / "words").write_text("some words of the operator\n")
    (home,) = keks(stocked("keys", "rewrap", "--new-key-file", "home.key", "--drop-old", "--yes", "--json"))
    settings(house, 'secret_key_file = "home.key"')
    assert keks(stocked("keys", "wrappings", "--json")) == [home]
    assert stocked("keys", "list", "--json").document == before


def test_the_root_moves_into_a_hardware_token(
    stocked: Run, house: Path, hardware_token: HardwareToken
) -> None:
    hardware_token.make_key("cli")
    before = stocked("keys", "list", "--json").document
    settings(house, hardware_token.settings("cli"), "token.toml")
    ended = stocked("keys", "rewrap", "--new-config", "token.toml", "--drop-old", "--yes", "--json")
    assert keks(ended) == ["pkcs11:auth/cli"]
    assert stocked("keys", "list").status == 1
    (house / "token.toml").rename(house / "doorward.toml")
    assert stocked("keys", "list", "--json").document == before
    assert stocked("keys", "rotate", "--force").status == 0
    checks = {check["name"]: check for check in stocked("doctor", "--json").document["checks"]}
    assert checks["secret key"]["said"] == "pkcs11:auth/cli wraps and opens"
    assert checks["signing keys"]["ok"]


def test_the_very_first_start_may_use_a_command_as_key(run: Run, house: Path) -> None:
    words = sealed_with_words(house)
    settings(house, words.splitlines()[1])
    refused = run("user", "list")
    assert refused.status == 1
    assert "keys.wrap_command is missing" in refused.err
    settings(house, words)
    assert run("user", "list").status == 0
    assert not (house / "doorward.key").exists()
    settings(house, words.splitlines()[1])
    assert run("user", "list").status == 0, "a node that only opens needs no more"
    checks = {check["name"]: check for check in run("doctor", "--json").document["checks"]}
    assert "keys.wrap_command" in checks["secret key"]["said"]


def test_another_machine_creates_no_key_of_its_own(stocked: Run, house: Path) -> None:
    (house / "elsewhere").mkdir()
    settings(house, 'secret_key_file = "elsewhere/doorward.key"')
    (kek,) = keks_of_file(stocked, house)
    refused = stocked("keys", "list")
    assert refused.status == 1
    assert f"There is no secret key in {house / 'elsewhere' / 'doorward.key'}" in refused.err
    assert kek in refused.err
    assert not list((house / "elsewhere").iterdir())


def keks_of_file(run: Run, house: Path) -> list[str]:
    """The settings of the first start."""
    text = (house / "doorward.toml").read_text()
    settings(house, "")
    try:
        return keks(run("keys", "wrappings", "--json"))
    finally:
        (house / "doorward.toml").write_text(text)


def test_variables_of_the_old_key_are_not_used_for_the_new_one(
    stocked: Run, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_KEYS__SECRET_KEY", (house / "doorward.key").read_text().strip())
    settings(house, f'secret_key = "{"A" * 43}="', "new.toml")
    old, new = keks(stocked("keys", "rewrap", "--new-config", "new.toml", "--json"))
    assert old != new


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--new-config", "none.toml"), "There is no file none.toml"),
        (("--new-config", "doorward.toml", "--new-key-file", "x"), "in one place"),
        (("--new-key-file", "bad.key"), "not 32 bytes in base64"),
        (("--new-config", "wrong.toml"), "unwrap_comand"),
    ],
)
def test_a_mistake_is_reported_and_changes_nothing(
    stocked: Run, house: Path, arguments: tuple[str, ...], said: str
) -> None:
    (house / "bad.key").write_text("nonsense")
    settings(house, 'unwrap_comand = "x"', "wrong.toml")
    ended = stocked("keys", "rewrap", *arguments)
    assert ended.status == 1
    assert said in ended.err
    assert "Fix:" in ended.err
    assert len(keks(stocked("keys", "wrappings", "--json"))) == 1
