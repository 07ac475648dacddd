"""An interrupted import in a backup: it goes on in the restored database, and everything of it came along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.core.errors import StoreUnavailable
from doorward.storage.sql.store import Store, Write
from tests.cli.conftest import Run
from tests.features.admin.imports import exports
from tests.features.admin.imports.importing import BCRYPT, lines

PEOPLE = 500


def test_an_interrupted_import_goes_on_in_a_restored_database(
    run: Run, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people: list[dict[str, Any]] = [
        {
            "email": f"p{number}@example.com",
            "email_verified": True,
            "password": BCRYPT,
            "totp": f"otpauth://totp/x?secret={exports.SEED}",
            "external_identities": [{"issuer": "https://a.example", "subject": str(number)}],
        }
        for number in range(PEOPLE)
    ]
    (house / "people.jsonl").write_bytes(lines(people))
    run("user", "list")
    right, count = Store.commit, 0

    async def commit(self: Store, *writes: Write) -> bool:
        nonlocal count
        count += 1
        if count > 2:
            raise StoreUnavailable("gone")
        return await right(self, *writes)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", commit)
        assert run("user", "import", "people.jsonl", "--report", "first.csv").status == 1
    assert run("backup", "half.backup").status == 0
    assert run("restore", "half.backup", "--into", "other.db").status == 0
    toml = house / "doorward.toml"
    toml.write_text('database = "other.db"\n' + toml.read_text())
    ended = run("user", "import", "people.jsonl", "--report", "second.csv", "--json")
    assert ended.status == 0, ended.out
    counts = ended.document["counts"]
    assert ended.document["resumed_after"] == 200
    assert (counts["created"], counts["authenticators"], counts["identities"]) == (PEOPLE, PEOPLE, PEOPLE)
    shown = run("user", "show", "p3@example.com", "--json").document
    assert shown["has_password"]
    assert {factor["kind"] for factor in shown["factors"]["factors"]} >= {"totp"}
