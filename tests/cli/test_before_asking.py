"""Tests that a command checks its arguments before it asks the operator anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("keys", "revoke", "key_nosuch"), "There is no signing key key_nosuch."),
        (("user", "delete", "eve@example.com"), "There is no person eve@example.com."),
        (("user", "set-password", "eve@example.com"), "There is no person eve@example.com."),
        (("app", "delete", "nosuch"), "There is no app nosuch."),
        (("app", "rotate-secret", "nosuch"), "There is no app nosuch."),
        (("api", "delete", "nosuch"), "There is no API nosuch."),
        (("role", "delete", "nosuch"), "There is no role nosuch."),
        (("restore", "nosuch.backup", "--replace"), "There is no file nosuch.backup."),
        (("restore", "nosuch.backup", "--passphrase"), "There is no file nosuch.backup."),
        (("backup", "nosuch.backup", "--verify", "--passphrase"), "There is no file nosuch.backup."),
    ],
)
def test_a_missing_object_is_reported_before_anything_is_asked(
    stocked: Run, arguments: tuple[str, ...], said: str
) -> None:
    words = stocked(*arguments)
    assert words.status == 1
    assert said in words.err
    assert "--yes" not in words.err
    told = stocked(*arguments, "--json")
    assert told.document["error"].startswith(said)


def test_revoking_a_key_asks_first_and_a_revoked_key_is_reported(stocked: Run) -> None:
    stocked("keys", "rotate", "--force")
    keys = {key["state"]: key["id"] for key in stocked("keys", "list", "--json").document}
    asked = stocked("keys", "revoke", keys["previous"])
    assert asked.status == 1
    assert "--yes" in asked.err
    assert stocked("keys", "revoke", keys["previous"], "--yes").status == 0
    again = stocked("keys", "revoke", keys["previous"])
    assert f"The key {keys['previous']} is revoked already." in again.err


def test_a_key_rotation_that_comes_too_early_names_the_hour(stocked: Run) -> None:
    stocked("keys", "rotate", "--force")
    refused = stocked("keys", "rotate")
    assert refused.status == 1
    assert "86400" not in refused.err
    assert "Fix: Wait until 20" in refused.err


def test_an_unreadable_passphrase_file_is_reported_in_words(stocked: Run, house: Path) -> None:
    (house / "words").write_bytes(b"\xff\xfe")
    for file, why in (
        ("nosuch", "cannot be read: No such file or directory"),
        ("words", "is UTF-16; save it as UTF-8"),
    ):
        words = stocked("backup", "first.backup", "--passphrase-file", file)
        assert f"The passphrase file {file} {why}." in words.err


def test_a_small_backup_has_a_size_and_a_restore_shows_the_next_step(stocked: Run, house: Path) -> None:
    stocked("keys", "rotate", "--force")
    written = stocked("backup", "first.backup")
    assert written.status == 0
    assert " kB; opens with " in written.out
    done = stocked("restore", "first.backup", "--into", "other.db")
    assert done.status == 0
    assert f"To serve it, set `database` to {house / 'other.db'}" in done.err
    assert "doorward restore first.backup --into other.db --replace --end-everything" in done.err


def test_a_backup_that_cannot_be_written_is_reported_under_the_given_name(
    stocked: Run, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = stocked("backup", "no/such/folder.backup")
    assert "There is no folder no/such." in nowhere.err

    really = os.open

    def refuse(path: Any, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(".part"):
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    refused = stocked("backup", "first.backup")
    assert "first.backup: Permission denied." in refused.err
    assert ".part" not in refused.err
    assert sorted(house.glob("*.part")) == []


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("mysql://ada:secret@db/x", "is of a kind that Doorward does not know (mysql)."),
        ("sqlite://host/x.db", "names no file."),
        ("host=db password=secret", "is a list of words like host=… password=…."),
    ],
)
def test_an_invalid_database_is_answered_with_a_valid_example(run: Run, database: str, said: str) -> None:
    words = run("move", database, "other.db")
    assert words.status == 1
    assert said in words.err
    assert "Fix: " in words.err
    assert "secret" not in words.err.replace("password=…", "")


def test_wrong_settings_do_not_refer_to_a_file_that_does_not_exist(run: Run, house: Path) -> None:
    (house / "doorward.toml").write_text('issuer = "ftp://x"\n', encoding="utf-8")
    words = run("user", "list")
    assert words.status == 1
    assert "docs/" not in words.err
    assert "Fix: Correct that, then look again: doorward doctor" in words.err
