"""Tests of `doorward passkeys list`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.passkey import Passkey
from doorward.storage.sqlite.database import open_sqlite
from tests.cli.conftest import Run


async def _with_passkeys(path: Path, email: str) -> None:
    store = await open_sqlite(path)
    account = await store.accounts.by_email(email)
    assert account is not None
    both: list[dict[str, Any]] = [{"backed_up": True, "last_used_at": 1_800_000_000}, {"suspect_at": 5}]
    for number, changes in enumerate(both):
        row = EnrolledFactor(
            id=f"fac_{number}", account_id=account.id, kind="passkey", created_at=1_700_000_000
        )
        passkey = Passkey(
            factor_id=row.id,
            account_id=account.id,
            credential_id=b"credential%d" % number,
            public_key=b"public key",
            alg=-7,
            sign_count=0,
            aaguid="d548826e-79b4-db40-a3d8-11116f7e8349",
            name=f"Phone {number}",
            **changes,
        )
        assert await store.commit(store.accounts.add_factor(row), store.passkeys.insert(passkey))
    await store.close()


def test_somebodys_passkeys_are_listed_without_their_keys(stocked: Run, house: Path) -> None:
    assert "has no passkey" in stocked("passkeys", "list", "ada@example.com").out
    asyncio.run(_with_passkeys(house / "doorward.db", "ada@example.com"))
    ended = stocked("passkeys", "list", "ada@example.com", "--json")
    first, second = ended.document
    assert (first["name"], first["provider"], first["backed_up"]) == ("Phone 0", "Bitwarden", True)
    assert (first["last_used_at"], second["suspect_at"]) == (1_800_000_000, 5)
    assert "credential" not in ended.out
    words = stocked("passkeys", "list", "ada@example.com").out
    assert "Phone 0" in words
    assert "copied" in words
    assert stocked("passkeys", "list", "nobody@example.com").status == 1


def test_the_factors_of_somebody_are_shown_with_the_ids_that_a_reset_takes(stocked: Run, house: Path) -> None:
    ada = "ada@example.com"
    assert "second factors  none" in stocked("user", "factors", ada).out
    asyncio.run(_with_passkeys(house / "doorward.db", ada))
    stocked("user", "require-factor", ada, "--grace", "7")
    words = stocked("user", "factors", ada).out
    first, second = (line.split() for line in words.splitlines() if line.split()[0] == "passkey")
    assert (first[-1], second[-1]) == ("fac_0", "fac_1")
    assert "Phone 0, set up 2023-11-14 22:13 UTC, used 2027-01-15 08:00 UTC" in words
    assert "copied, refused since" in words
    assert "may be put off until" in words
    gone = stocked("user", "reset-factors", ada, "--yes", "--id", first[-1])
    assert "still has passkey;" in gone.out
    last = stocked("user", "reset-factors", ada, "--yes")
    assert "has no second factor any more" in last.out
    assert "Their password" not in last.err, "she has none"
