"""Tests of `doorward risk …`, on past sign-ins in a real store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import time

import pytest

from doorward.core.model.account import Account
from doorward.core.model.audit import AuditEvent
from doorward.storage.sql.open import open_store
from tests.cli.conftest import Run
from tests.mmdb import LONDON, write_mmdb

DAY = 86_400
AGENT = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"


@pytest.fixture
def past(run: Run, house: Path) -> Path:
    """Ada signed in at home yesterday, and on a new device in London an hour ago."""
    write_mmdb(
        house / "city.mmdb",
        {"81.2.69.0/24": LONDON, "20.1.1.0/24": {"country": {"iso_code": "PT"}}},
    )
    settings = house / "doorward.toml"
    settings.write_text(f'{settings.read_text("utf-8")}\n[places]\ndatabase = "city.mmdb"\n', "utf-8")
    assert run("migrate").status == 0
    now = int(time())

    async def write() -> None:
        store = await open_store(str(house / "doorward.db"))
        try:
            assert await store.commit(
                store.accounts.insert(Account("usr_ada", "ada@example.com", now - 9 * DAY)),
                *(
                    store.audit.append(
                        AuditEvent(
                            id=f"aud_{at:032d}",
                            at=at,
                            kind=kind,
                            account_id="usr_ada",
                            address=address,
                            user_agent=AGENT,
                            detail=detail,
                        )
                    )
                    for at, kind, address, detail in (
                        (now - DAY, "sign_in.succeeded", "20.1.1.7", {"method": "pwd"}),
                        (
                            now - 3660,
                            "risk.assessed",
                            "81.2.69.142",
                            {
                                "verdict": "ask_factor",
                                "reasons": ["new_country"],
                                "here": "London, GB",
                                "before": "PT",
                                "new_device": "yes",
                            },
                        ),
                        (
                            now - 3600,
                            "sign_in.succeeded",
                            "81.2.69.142",
                            {"method": "pwd otp", "new_device": "yes"},
                        ),
                    )
                ),
            )
        finally:
            await store.close()

    asyncio.run(write())
    return house


def test_verdicts_are_explained_with_both_places(run: Run, past: Path) -> None:
    assert past.is_dir()
    ended = run("risk", "explain", "ada@example.com")
    assert ended.status == 0, ended.err
    assert "It comes from London, GB, and an earlier one came from PT." in ended.out
    (line,) = run("risk", "explain", "usr_ada", "--json").document
    assert line["verdict"] == "ask_factor"


def test_a_replay_says_what_another_policy_would_do(run: Run, past: Path) -> None:
    (past / "other.toml").write_text('[risk]\nnew_country = "refuse"\n', "utf-8")
    document = run("risk", "replay", "--since", "2d", "--policy", "other.toml", "--json").document
    assert document["sign_ins"] == 2
    assert document["settings"]["ask_factor"] == 1
    assert document["policy"]["refuse"] == 1
    (changed,) = document["shown"]
    assert (changed["settings"], changed["policy"], changed["reasons"]) == (
        "ask_factor",
        "refuse",
        ["new_country"],
    )
    ended = run("risk", "replay", "--since", "2d", "--policy", "other.toml")
    assert "ask_factor → refuse" in ended.out
    assert "London, England, GB" in ended.out


def test_a_replay_without_another_policy_shows_that_of_the_settings(run: Run, past: Path) -> None:
    assert past.is_dir()
    ended = run("risk", "replay")
    assert ended.status == 0, ended.err
    assert "an earlier one came from PT" in ended.out


def test_mistakes_are_named(run: Run, past: Path) -> None:
    (past / "wrong.toml").write_text('[risk]\nnew_contry = "refuse"\n', "utf-8")
    ended = run("risk", "replay", "--policy", "wrong.toml")
    assert ended.status == 1
    assert "new_contry" in ended.err
    assert run("risk", "replay", "--policy", "none.toml").status == 1
    assert run("risk", "replay", "--since", "soon").status == 2
