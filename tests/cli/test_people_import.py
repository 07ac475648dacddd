"""`doorward user import` as an operator runs it: files, report, hostile names, and what is refused before anything is read."""

from __future__ import annotations

import csv
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from doorward.cli.people_import import ImportFormat, cell, printable
from doorward.features.admin.imports.index import READERS
from tests.cli.conftest import Run
from tests.features.admin.imports import exports
from tests.features.admin.imports.importing import BCRYPT, lines

ADA: dict[str, Any] = {"email": "ada@example.com", "email_verified": True, "password": BCRYPT}


def export(house: Path, *records: dict[str, Any], name: str = "people.jsonl") -> str:
    """A file of these people."""
    (house / name).write_bytes(lines(records))
    return name


def test_every_reader_is_an_option_of_the_command() -> None:
    assert [each.value for each in ImportFormat] == list(READERS)


def test_people_are_imported_and_shown(run: Run, house: Path) -> None:
    file = export(house, ADA, {**ADA, "email": "bob@example.com", "name": "Bob"})
    dry = run("user", "import", file, "--dry-run")
    assert dry.status == 0
    assert "Nothing was changed." in dry.out
    assert run("user", "list", "--json").document == []
    ended = run("user", "import", file)
    assert (ended.status, ended.err) == (0, "")
    assert "created" in ended.out
    assert [person["email"] for person in run("user", "list", "--json").document] == [
        "ada@example.com",
        "bob@example.com",
    ]


def test_the_document_has_counts_and_every_entry(run: Run, house: Path) -> None:
    file = export(
        house, ADA, {**ADA, "email": "x"}, {**ADA, "email": "eve@example.com", "password": "hunter2"}
    )
    ended = run("user", "import", file, "--json")
    assert ended.status == 1
    document = ended.document
    assert (document["counts"]["read"], document["counts"]["created"], document["counts"]["refused"]) == (
        3,
        2,
        1,
    )
    assert [(entry["line"], entry["refused"], entry["code"]) for entry in document["entries"]] == [
        (2, True, "email_invalid"),
        (3, False, "import_hash_unknown"),
    ]
    assert len(document["sha256"]) == 64
    assert "hunter2" not in ended.out + ended.err


def test_many_refusals_are_shortened_on_a_terminal_and_whole_in_the_report(run: Run, house: Path) -> None:
    file = export(house, *({**ADA, "email": f"x{number}"} for number in range(50)))
    ended = run("user", "import", file, "--report", "report.csv")
    assert ended.status == 1
    assert ended.out.count("line ") == 20
    assert "and 30 more" in ended.out
    assert "50 × email_invalid" in ended.out
    with (house / "report.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 50
    assert rows[7]["line"] == "8"
    assert rows[7]["email"] == "x7"
    assert stat.S_IMODE((house / "report.csv").stat().st_mode) == 0o600


HOSTILE = [
    "\x1b]0;owned\x07\x1b[2J\x1b[31m@example.com",
    "a\r\nline 9, imported b@example.com",
    "\u202egnp.live@example.com",
    '=HYPERLINK("http://evil","x")@example.com',
    "+1+1@example.com",
    "-2+3@example.com",
    "@SUM(1)",
    "\t=1+1",
    "\x9b31m@example.com",
]


@pytest.mark.parametrize("email", HOSTILE)
def test_a_hostile_address_neither_moves_a_terminal_nor_becomes_a_formula(
    run: Run, house: Path, email: str
) -> None:
    file = export(house, {**ADA, "email": email}, {**ADA, "roles": [email]}, {**ADA, email: 1})
    ended = run("user", "import", file, "--report", "report.csv", "--create-roles")
    plain = run("user", "import", file, "--json").out
    for text in (ended.out, ended.err, (house / "report.csv").read_text("utf-8"), plain):
        assert not [char for char in text if not char.isprintable() and char != "\n"]
    with (house / "report.csv").open(newline="", encoding="utf-8") as stream:
        cells = [value for row in csv.reader(stream) for value in row]
    assert cells
    assert not [value for value in cells if value.lstrip()[:1] in {"=", "+", "-", "@"}]


@pytest.mark.parametrize("text", ["=1", " =1", "+1", "-1", "@x", "\t=1", "\r\n=1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text)[0] in {"'", "\\"}
    assert cell("ada@example.com") == "ada@example.com"


def test_only_spaces_and_visible_characters_are_printed() -> None:
    assert printable("a b\u00e9\u65e5\u2028\x1b\u202e\ud800") == "a bé日\\u2028\\u001b\\u202e\\ud800"


def test_the_report_never_replaces_a_file_nor_follows_a_link(run: Run, house: Path) -> None:
    file = export(house, ADA)
    (house / "kept.csv").write_text("mine")
    (house / "link.csv").symlink_to(house / "elsewhere.csv")
    for name in ("kept.csv", "link.csv", "no/where.csv"):
        ended = run("user", "import", file, "--report", name)
        assert ended.status == 1
        assert name in ended.err
    assert (house / "kept.csv").read_text() == "mine"
    assert not (house / "elsewhere.csv").exists()
    assert run("user", "list", "--json").document == []


def test_a_file_that_is_none_is_refused(run: Run, house: Path) -> None:
    os.mkfifo(house / "pipe.jsonl")
    for name in ("missing.jsonl", "pipe.jsonl", ".", "/dev/null"):
        ended = run("user", "import", name)
        assert ended.status == 1, name
        assert "Fix:" in ended.err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[", "no list of people"),
        ('{"email": "a"}'.encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_as_a_whole_is_refused_with_its_fix(run: Run, house: Path, data: bytes, said: str) -> None:
    (house / "people.json").write_bytes(data)
    ended = run("user", "import", "people.json")
    assert ended.status == 1
    assert said in ended.err
    assert "Fix:" in ended.err


def test_a_table_with_an_unknown_column_says_so(run: Run, house: Path) -> None:
    (house / "people.csv").write_text("email,pasword\nada@example.com,x\n")
    ended = run("user", "import", "people.csv")
    assert ended.status == 1
    assert "There is no member pasword. Did you mean password?" in ended.out


def test_a_table_is_imported(run: Run, house: Path) -> None:
    (house / "people.csv").write_text(
        f"email;email_verified;name;password;totp\nada@example.com;true;Ada;{BCRYPT};otpauth://totp/x?secret={exports.SEED}\n"
    )
    assert run("user", "import", "people.csv").status == 0
    shown = run("user", "show", "ada@example.com", "--json").document
    assert (shown["name"], shown["has_password"]) == ("Ada", True)
    assert shown["factors"]["authenticator"] is not None


def test_firebase_names_what_is_missing(run: Run, house: Path) -> None:
    (house / "users.json").write_bytes(exports.firebase([("ada@example.com", "x")]))
    ended = run("user", "import", "users.json", "--from", "firebase")
    assert ended.status == 1
    assert "base64_signer_key" in ended.err
    assert "--hash-config" in ended.err
    (house / "config.txt").write_text(exports.HASH_CONFIG.replace("rounds", "cycles"))
    ended = run("user", "import", "users.json", "--from", "firebase", "--hash-config", "config.txt")
    assert "rounds" in ended.err
    assert exports.SIGNER_KEY not in ended.err + ended.out
    (house / "config.txt").write_bytes(b"\xff\xfe")
    assert (
        "UTF-16"
        in run("user", "import", "users.json", "--from", "firebase", "--hash-config", "config.txt").err
    )
    assert (
        "cannot be read"
        in run("user", "import", "users.json", "--from", "firebase", "--hash-config", "none").err
    )
    (house / "config.txt").write_text(exports.HASH_CONFIG)
    assert (
        run("user", "import", "users.json", "--from", "firebase", "--hash-config", "config.txt").status == 0
    )


@pytest.mark.parametrize("system", ["keycloak", "auth0", "django", "supabase"])
def test_an_export_is_imported_as_it_is(run: Run, house: Path, system: str) -> None:
    people = [("ada@example.com", "x"), ("bob@example.com", "y")]
    make = {
        "keycloak": exports.keycloak,
        "auth0": exports.auth0,
        "django": exports.django_dump,
        "supabase": exports.supabase,
    }
    name = "users.csv" if system == "supabase" else "users.json"
    (house / name).write_bytes(make[system](people))
    vouch = ["--unverified", "vouch"] if system == "django" else []
    ended = run("user", "import", name, "--from", system, *vouch, "--json")
    assert ended.status == 0, ended.out
    assert ended.document["counts"]["created"] == 2
    assert ended.document["counts"]["without_password"] == 0


def test_the_choice_about_addresses_is_demanded_of_a_dump_of_django(run: Run, house: Path) -> None:
    (house / "users.json").write_bytes(exports.django_dump([("ada@example.com", "x")]))
    ended = run("user", "import", "users.json", "--from", "django")
    assert ended.status == 1
    assert "--unverified vouch" in ended.err


def test_weak_hashes_are_named_in_the_report(run: Run, house: Path) -> None:
    file = export(house, {**ADA, "password": "{SSHA}" + exports.b64(bytes(24))})
    ended = run("user", "import", file)
    assert "--allow-weak" in ended.out
    ended = run("user", "import", file, "--allow-weak")
    assert ended.status == 0
    assert "1 weak password hashes are in the database" in ended.err


def test_no_hash_and_no_seed_is_printed(run: Run, house: Path) -> None:
    file = export(
        house, {**ADA, "password": BCRYPT[:-1], "totp": "otpauth://totp/x?secret=" + exports.SEED[:-1]}
    )
    for more in ((), ("--json",), ("--dry-run",)):
        ended = run("user", "import", file, *more)
        assert ended.status == 1
        assert BCRYPT[7:20] not in ended.out + ended.err
        assert exports.SEED[:10] not in ended.out + ended.err


def test_an_error_of_the_import_is_one_json_document(run: Run, house: Path) -> None:
    (house / "people.json").write_bytes(b"[")
    ended = run("user", "import", "people.json", "--json")
    assert ended.status == 1
    assert set(json.loads(ended.out)) == {"error", "fix"}


def test_a_provider_is_named_by_its_issuer(run: Run, house: Path) -> None:
    person = exports.keycloak_person(
        "ada@example.com", federatedIdentities=[{"identityProvider": "goo gle", "userId": "1"}]
    )
    (house / "users.json").write_text(json.dumps({"users": [person]}))
    ended = run("user", "import", "users.json", "--from", "keycloak")
    assert "--identity 'goo gle'=https://" in ended.out
    for wrong in ("goo gle", "goo gle=http://accounts.google.com", "=https://accounts.google.com"):
        ended = run("user", "import", "users.json", "--from", "keycloak", "--identity", wrong)
        assert ended.status == 2
    ended = run("user", "import", "users.json", "--from", "keycloak", "--identity", "goo gle=nobody")
    assert ended.status == 1
    assert "[providers.nobody]" in ended.err + ended.out
    named = "goo gle=https://accounts.google.com"
    assert (
        run(
            "user", "import", "users.json", "--from", "keycloak", "--identity", named, "--identity", named
        ).status
        == 2
    )
    ended = run("user", "import", "users.json", "--from", "keycloak", "--identity", named, "--json")
    assert ended.status == 0
    assert ended.document["counts"]["identities"] == 1


def test_a_report_of_nothing_does_not_stay(run: Run, house: Path) -> None:
    (house / "people.json").write_bytes(b"[")
    assert run("user", "import", "people.json", "--report", "report.csv").status == 1
    assert not (house / "report.csv").exists()
