"""Imports that are interrupted, overtaken, or that meet somebody who signs up in the same moment."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.features.admin import build
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports import service
from doorward.storage.sql.store import Store, Write
from tests.features.admin.imports.importing import BCRYPT, account, codes, imported
from tests.features.admin.managing import OPERATOR, Desk

pytestmark = pytest.mark.anyio
ADA: dict[str, Any] = {"email": "Ada@Example.com", "email_verified": True, "password": BCRYPT}


class Interrupted(Exception):
    """The process ends."""


async def _interrupted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, records: list[dict[str, Any]], after: int
) -> None:
    """An import that ends with the `after`-th commit."""
    right, count = Store.commit, 0

    async def commit(self: Store, *writes: Write) -> bool:
        nonlocal count
        count += 1
        if count > after:
            raise Interrupted
        return await right(self, *writes)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", commit)
        with pytest.raises(Interrupted):
            await imported(desk, records)


@pytest.mark.parametrize("after", [1, 2, 3, 4])
async def test_an_interrupted_import_goes_on_and_counts_every_record_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    records: list[dict[str, Any]] = [{**ADA, "email": f"p{number}@example.com"} for number in range(500)]
    records[7] = {**ADA, "email": "x"}
    records[450] = {**ADA, "email": "P3@example.com"}
    await _interrupted(desk, monkeypatch, records, after)
    # the mark, then batches of 200 accounts
    done = 0 if after == 1 else min(201 + 200 * (after - 2), 500)
    report = await imported(desk, records)
    assert report.resumed_after == done
    assert (report.counts.read, report.counts.created, report.counts.refused) == (500, 498, 2)
    assert await desk.store.accounts.count() == 498
    expected = [
        (line, code) for line, code in ((8, "email_invalid"), (451, "import_repeated")) if line > done
    ]
    assert codes(report) == expected
    assert len(await desk.audited("account.created")) == 498
    assert len(await desk.audited("accounts.imported")) == 1
    assert await desk.store.meta(service.MARK + report.sha256) is None


async def test_an_interrupted_import_goes_on_only_under_the_same_options(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [{**ADA, "email": f"p{number}@example.com"} for number in range(300)]
    await _interrupted(desk, monkeypatch, records, 2)
    with pytest.raises(AdminError) as caught:
        await imported(desk, records, unverified="vouch")
    assert caught.value.problem.code == "import_choices_changed"
    assert (await imported(desk, records)).counts.created == 300


async def test_a_run_that_was_overtaken_by_another_writes_nothing_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operators, one file: whoever begins later goes on, and the other run ends at its next batch."""
    records = [{**ADA, "email": f"p{number}@example.com"} for number in range(900)]
    people_import = desk.services.get(build.people_import)
    right = people_import.writer.outcome
    overtaken = False

    async def outcome(*args: Any) -> Any:
        nonlocal overtaken
        if not overtaken and args[2].created == 200:
            overtaken = True
            assert (await imported(desk, records)).counts.created == 900
        return await right(*args)

    monkeypatch.setattr(type(people_import.writer), "outcome", lambda _, *args: outcome(*args))
    with pytest.raises(AdminError) as caught:
        await imported(desk, records)
    assert caught.value.problem.code == "import_running"
    assert await desk.store.accounts.count() == 900
    assert len(await desk.audited("account.created")) == 900


async def test_somebody_who_signs_up_in_the_same_moment_costs_one_record(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_import = desk.services.get(build.people_import)
    right = people_import.writer.outcome
    made = False

    async def outcome(*args: Any) -> Any:
        nonlocal made
        found = await right(*args)
        if not made:
            made = True
            await desk.people.create(OPERATOR, "p5@example.com", name="Here first")
        return found

    monkeypatch.setattr(type(people_import.writer), "outcome", lambda _, *args: outcome(*args))
    report = await imported(desk, [{**ADA, "email": f"p{number}@example.com"} for number in range(20)])
    assert codes(report) == [(6, "email_taken")]
    assert (report.counts.read, report.counts.created, report.counts.refused) == (20, 19, 1)
    assert (await account(desk, "p5@example.com")).name == "Here first"
