"""Soak test of an import of a hundred thousand people: minutes, since no password is hashed, and a dry run that says the same."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engines import BOTH
from tests.features.admin.imports.importing import BCRYPT
from tests.flows.settings import environment, write_settings

ENGINES = BOTH
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
PEOPLE = 100_000
MOST_SECONDS = 600


def test_a_hundred_thousand_people_are_imported_in_minutes(tmp_path: Path, own_database: str | None) -> None:
    config = write_settings(tmp_path, "http://127.0.0.1:9000", database=own_database)
    with (tmp_path / "people.jsonl").open("w") as file:
        for number in range(PEOPLE):
            person = {
                "email": f"person{number}@example.com",
                "email_verified": True,
                "name": f"Person Number {number}",
                "password": BCRYPT,
                "created_at": "2020-01-02T03:04:05Z",
                **({"totp": "otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DP"} if number % 10 == 0 else {}),
            }
            file.write(json.dumps(person) + "\n")
    command = [
        sys.executable,
        "-m",
        "doorward",
        "user",
        "import",
        "people.jsonl",
        "--json",
        "--config",
        str(config),
    ]
    found = {}
    for more in (["--dry-run"], []):
        began = time.monotonic()
        ended = subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment(), capture_output=True, check=True
        )
        took = time.monotonic() - began
        found[bool(more)] = json.loads(ended.stdout)["counts"]
        print(f"{PEOPLE} people, {more or 'written'}: {took:.0f} s, {PEOPLE / took:.0f} a second")
        assert took < MOST_SECONDS
    assert found[True] == found[False]
    assert found[False]["created"] == PEOPLE
    assert found[False]["authenticators"] == PEOPLE // 10
