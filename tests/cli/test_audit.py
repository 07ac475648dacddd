"""Tests of `doorward audit`."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from doorward.cli.audit import coming
from doorward.cli.audit_filter import when
from doorward.cli.audit_forms import COLUMNS, csv_of, document, row
from doorward.core.model.audit import AuditEvent
from doorward.core.model.audit_filter import AuditFilter
from doorward.core.model.place import Place
from tests.cli.conftest import Run
from tests.features.admin.managing import OPERATOR, opened

EVENT = AuditEvent(
    id="aud_1",
    at=0,
    kind="sign_in.failed",
    ok=False,
    account_id="usr_1",
    address="203.0.113.7",
    user_agent='=HYPERLINK("https://evil.example","x")',
    detail={"reason": "password", "method": ["a", "b"]},
    place=Place(country="DE", city="Köln"),
    network="hosting",
)


def tampered(house: Path, *statements: str) -> None:
    with closing(sqlite3.connect(house / "doorward.db")) as database:
        database.execute("DROP TRIGGER IF EXISTS audit_never_changes")
        database.execute("DROP TRIGGER IF EXISTS audit_never_shrinks")
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_a_log_is_listed_signed_verified_and_a_changed_line_named(stocked: Run, house: Path) -> None:
    assert "app.created" in stocked("audit", "list", "--kind", "app.*").out
    assert stocked("audit", "list", "--app", "nobody").status == 1
    kinds = [one["kind"] for one in stocked("audit", "list", "--since", "1h", "--json").document]
    assert kinds
    assert stocked("audit", "list", "--until", "1h", "--json").document == []
    head = stocked("audit", "head").out
    assert head.count(".") == 2
    (house / "heads").write_text(head)
    verified = stocked("audit", "verify", "--head", "heads")
    assert verified.status == 0, verified.err
    assert "are as they were written" in verified.out
    assert stocked("audit", "verify", "--json").document["proven"] == len(kinds) + 1
    tampered(house, "UPDATE audit SET ok = 0 WHERE kind = 'api.created'")
    found = stocked("audit", "verify")
    assert found.status == 1
    assert "the line was changed" in found.err
    assert "aud_" in found.err


def test_a_cut_log_is_found_by_a_head_kept_elsewhere(stocked: Run, house: Path) -> None:
    (house / "heads").write_text(stocked("audit", "head").out)
    tampered(
        house,
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit_chain WHERE seq > 2)",
        "DELETE FROM audit_chain WHERE seq > 2",
        "DELETE FROM audit_heads",
    )
    assert stocked("audit", "verify").status == 0
    assert "the chain was cut" in stocked("audit", "verify", "--head", "heads").err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("no head", "no head of this server"),
        ("a.b.c", "no head of this server"),
        ("é", "cannot be read"),
    ],
)
def test_a_file_without_a_head_is_refused(stocked: Run, house: Path, text: str, said: str) -> None:
    (house / "heads").write_text(text, "utf-8")
    assert said in stocked("audit", "verify", "--head", "heads").err


def test_what_is_personal_is_erased_and_the_log_still_verifies(stocked: Run) -> None:
    person = stocked("user", "create", "eve@example.com", "--json").document["id"]
    assert stocked("audit", "erase", "eve@example.com").status == 1
    erased = stocked("audit", "erase", "eve@example.com", "--yes")
    assert person in erased.out
    lines = stocked("audit", "list", "--user", person, "--json").document
    assert [one["kind"] for one in lines] == ["audit.erased", "account.created"]
    assert stocked("user", "delete", "eve@example.com", "--yes").status == 0
    assert stocked("audit", "erase", person, "--yes").status == 0
    assert stocked("audit", "erase", "usr_nobody", "--yes").status == 1
    assert stocked("audit", "verify").status == 0


def test_an_export_is_json_lines_or_csv_and_replaces_no_file(stocked: Run, house: Path) -> None:
    lines = [json.loads(one) for one in stocked("audit", "export").out.splitlines()]
    assert [one["id"] for one in lines] == sorted(one["id"] for one in lines)
    made = stocked("audit", "export", "--format", "csv", "--to", "all.csv", "--json")
    assert made.document["lines"] == len(lines)
    file = house / "all.csv"
    assert file.stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
    assert [one["id"] for one in rows] == [one["id"] for one in lines]
    assert stocked("audit", "export", "--to", "all.csv").status == 1


def test_no_cell_of_csv_begins_like_a_formula() -> None:
    (cells,) = csv.reader(io.StringIO(csv_of(EVENT)))
    found = dict(zip(COLUMNS, cells, strict=True))
    assert found["user_agent"] == "'" + str(EVENT.user_agent)
    assert (found["country"], found["city"], found["network"]) == ("DE", "Köln", "hosting")
    assert found["detail"] == '{"method":["a","b"],"reason":"password"}'


def test_the_other_forms_of_a_line() -> None:
    made = document(EVENT)
    assert (made["time"], made["ok"], made["place"]) == (
        "1970-01-01T00:00:00Z",
        False,
        {"country": "DE", "city": "Köln"},
    )
    assert "erased" not in made
    shown = row(EVENT)
    assert shown[:4] == ("1970-01-01T00:00:00Z", "sign_in.failed", "refused", "usr_1")
    assert shown[5] == "203.0.113.7 Köln, DE hosting"


@pytest.mark.parametrize(
    ("text", "at"),
    [("1970-01-02", 86_400), ("1970-01-01T00:01", 60), ("1970-01-01T01:00+01:00", 0), (None, None)],
)
def test_times_are_days_times_and_ages(text: str | None, at: int | None) -> None:
    assert when(text) == at


def test_a_time_that_is_none_is_refused_with_the_forms(stocked: Run) -> None:
    found = stocked("audit", "list", "--since", "yesterday")
    assert found.status == 2
    assert "2026-11-01" in found.err


@pytest.mark.anyio
async def test_following_shows_lines_of_all_nodes_once_and_late_ones_too() -> None:
    async with opened() as desk:
        # ids tell the true time
        desk.clock.time = int(time.time())
        lines: list[str] = []
        wanted = AuditFilter(kind="account.*", since=desk.clock.time)
        late = desk.services.random.new_id("aud")
        await desk.people.create(OPERATOR, "a@example.com")
        with anyio.fail_after(30):
            async for one in coming(desk.services, wanted):
                lines.append(one.kind)
                if len(lines) == 3:
                    break
                if len(lines) == 1:
                    await desk.people.disable(OPERATOR, "a@example.com")
                else:
                    # it has an earlier id than those that were shown, and is committed only now
                    event = AuditEvent(id=late, at=desk.clock.time, kind="account.late")
                    await desk.store.commit(desk.store.audit.append(event))
        assert lines == ["account.created", "account.disabled", "account.late"]
