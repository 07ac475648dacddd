"""Test that two processes on one database act as one issuer."""

from __future__ import annotations

from pathlib import Path

import httpx2

from tests.engines import BOTH
from tests.flows.apps import App, good
from tests.flows.processes import processes
from tests.flows.seeds import API
from tests.flows.signing_in import tokens_by_challenge

ENGINES = BOTH


def test_tokens_of_one_process_can_be_refreshed_and_shown_by_the_other(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 2, database=own_database) as fleet:
        first, second = fleet.servers
        tokens = tokens_by_challenge(fleet.house.own, "ada@example.com", "openid orders:read")
        there = App(fleet.issuer, fleet.house.own.client_id, fleet.house.own.secret, base=second.base)
        newer = good(there.refresh(tokens.refresh))
        assert newer.claims["iss"] == fleet.issuer
        assert newer.claims["aud"] == API
        keys = [httpx2.get(f"{server.base}/jwks", trust_env=False).json() for server in (first, second)]
        assert keys[0] == keys[1]
        assert good(fleet.house.own.refresh(newer.refresh)).refresh != newer.refresh
        there.close()
        for server in fleet.servers:
            server.stop()
            assert server.troubles() == []
