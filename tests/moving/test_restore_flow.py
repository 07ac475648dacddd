"""What do apps, people and APIs meet after a restore? What the backup knows works; what came later is refused, plainly."""

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
        # the server is in the way
        told = house.done(house.doorward(fleet, "restore", "a.bak", "--replace", "--yes", "--json"), 1)
        assert "Stop" in told["fix"]
        server.stop()
        house.done(house.doorward(fleet, "restore", "a.bak", "--replace", "--yes", "--json"))
        server.start()
        news = house.feed(server.base, cursor)
        assert news["reset"] is True, "an API with a cursor of before loads everything anew"
        # newer than the database: no verdict on the family, and its owner can go on
        refused(own.refresh(newest.refresh))
        refused(own.refresh(newer.refresh))
        again = good(own.refresh(old.refresh))
        good(own.refresh(again.refresh))
        assert own.userinfo(old.access).status_code == 200
        # the guide says so: what was revoked after the backup was made is not known any more
        good(own.refresh(ended.refresh))
        tokens_by_challenge(own, "ada@example.com", SCOPE)
        assert server.troubles() == []


def test_with_end_everything_no_token_of_before_works_and_everybody_can_sign_in(
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
