"""Tests of names: different spellings of one name match, and look-alikes of existing names are refused."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from doorward.ops.doctor.doctor import diagnose
from tests.cli.conftest import Run

NFC, NFD = "Caf\u00e9", "Cafe\u0301"


def app(run: Run, name: str) -> int:
    return run("app", "create", name, "--redirect", "https://app.example.com/cb").status


def test_an_app_is_found_by_its_name_in_either_unicode_form(run: Run) -> None:
    assert app(run, NFD) == 0
    for typed in (NFC, NFD, "CAF\u00c9", "\u200ecaf\u00e9\u200f", "\uff23af\u00e9"):
        assert run("app", "show", typed, "--json").document["name"] == NFC
        assert app(run, typed) == 1


def test_a_role_and_an_api_are_found_in_either_unicode_form(run: Run) -> None:
    assert run("role", "create", NFD).status == 0
    assert run("role", "create", NFC).status == 1
    assert run("role", "list", "--json").document[0]["name"] == NFC
    assert run("user", "create", "ada@example.com", "--no-password", "--role", NFD, "--json").document[
        "roles"
    ] == [NFC]
    assert run("api", "create", "https://a.example.com", "--name", NFD).status == 0
    assert run("api", "create", "https://b.example.com", "--name", "CAF\u00c9").status == 1


@pytest.mark.parametrize(
    "name", ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\U0001f468\u200d\U0001f469\u200d\U0001f467"]
)
def test_names_keep_their_joiners(run: Run, name: str) -> None:
    assert app(run, name) == 0
    made = run("user", "create", "ada@example.com", "--no-password", "--name", name, "--json")
    assert made.document["name"] == name


def test_a_name_of_invisible_characters_is_refused(run: Run) -> None:
    assert app(run, "\u3164") == 1
    assert run("role", "create", "\u200b").status == 1


def test_a_language_must_be_a_language_tag(run: Run) -> None:
    refused = run("user", "create", "ada@example.com", "--no-password", "--locale", "!!")
    assert refused.status == 1
    assert "pt-BR" in refused.err
    assert (
        run("user", "create", "ada@example.com", "--no-password", "--locale", "de_at", "--json").document[
            "locale"
        ]
        == "de-AT"
    )


def test_spaces_copied_with_an_address_are_removed(run: Run) -> None:
    assert (
        run("user", "create", "\u202aada@example.com\u202c", "--no-password", "--json").document["email"]
        == "ada@example.com"
    )
    assert run("user", "show", "\ufeffAda@Example.com", "--json").document["email"] == "ada@example.com"
    assert run("user", "create", "\uff41da@example.com", "--no-password").status == 1


def test_names_registered_by_older_versions_are_listed_and_found_by_id(run: Run, house: Path) -> None:
    assert app(run, NFC) == 0
    assert app(run, "other") == 0
    with sqlite3.connect(house / "doorward.db") as database:
        database.execute("UPDATE clients SET doc = replace(doc, '\"other\"', ?)", (f'"{NFD}"',))
        database.execute("UPDATE counters SET value = value + 1 WHERE name = 'registry'")
    checks = {check.name: check for check in asyncio.run(diagnose(house / "doorward.toml"))}
    assert checks["names"].ok
    assert NFC in checks["names"].said
    assert "by its id" in checks["names"].fix
    shown = run("app", "show", "CAF\u00c9")
    assert shown.status == 1
    assert "app_" in shown.err
    # an exact spelling names that one
    assert run("app", "show", NFD, "--json").document["name"] == NFD
