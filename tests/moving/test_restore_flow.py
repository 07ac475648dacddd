"""Tests of apps, people and APIs after a restore: what the backup contains works; what came later is refused."""

from __future__ import annotations

from pathlib import Path

import httpx2

from tests.engines import BOTH
from tests.flows.apps import good, refused
from tests.flows.processes import processes
from tests.flows.signing_in import tokens_by_challenge
from tests.moving import house

ENGINES = BOTH
SCOPE = "openid orders:read offline_access"


def test_after_a_restore_what_the_backup_knows_works_and_what_came_later_is_refused(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 1, database=own_database) as fleet:
        own, server = fleet.house.own, fleet.servers[0]
        old = tokens_by_challenge(own, "ada@example.com", SCOPE)
        ended = tokens_by_challenge(own, "bob@example.com", SCOPE)
        cursor = house.feed(server.base)["cursor"]
        # while the server runs
        made = house.done(house.doorward(fleet, "backup", "a.bak", "--json"))
        assert made["rows"] > 10
        newer = good(own.refresh(old.refresh))
        newest = good(own.refresh(newer.refresh))
        assert own.post("/revoke", token=ended.refresh).status_code == 200
        refused(own.refresh(ended.refresh))
        # the running server prevents it
        told = house.done(house.doorward(fleet, "restore", "a.bak", "--replace", "--yes", "--json"), 1)
        assert "Stop" in told["fix"]
        server.stop()
        house.done(house.doorward(fleet, "restore", "a.bak", "--replace", "--yes", "--json"))
        server.start()
        news = house.feed(server.base, cursor)
        assert news["reset"] is True, "an API with an old cursor loads everything"
        # newer than the database: the family is not revoked, and its owner can continue
        refused(own.refresh(newest.refresh))
        refused(own.refresh(newer.refresh))
        again = good(own.refresh(old.refresh))
        good(own.refresh(again.refresh))
        assert own.userinfo(old.access).status_code == 200
        # documented in the guide: a revocation made after the backup is lost
        good(own.refresh(ended.refresh))
        tokens_by_challenge(own, "ada@example.com", SCOPE)
        assert server.troubles() == []


def test_after_end_everything_no_old_token_works_and_everybody_can_sign_in(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 1, database=own_database) as fleet:
        own, server = fleet.house.own, fleet.servers[0]
        tokens = tokens_by_challenge(own, "ada@example.com", SCOPE)
        before = httpx2.get(f"{server.base}/jwks", trust_env=False).json()
        house.done(house.doorward(fleet, "backup", "a.bak", "--json"))
        server.stop()
        house.done(
            house.doorward(fleet, "restore", "a.bak", "--replace", "--end-everything", "--yes", "--json")
        )
        server.start()
        keys = httpx2.get(f"{server.base}/jwks", trust_env=False).json()
        assert {key["kid"] for key in keys["keys"]}.isdisjoint({key["kid"] for key in before["keys"]})
        refused(own.refresh(tokens.refresh))
        assert own.userinfo(tokens.access).status_code == 401
        assert fleet.house.reader.introspect(tokens.access) == {"active": False}
        tokens_by_challenge(own, "ada@example.com", SCOPE)
