"""Test that the metrics page counts events, and shows nothing to callers without the token."""

from __future__ import annotations

import re
from pathlib import Path

from tests.flows.running import running
from tests.flows.seeds import seed
from tests.flows.signing_in import tokens_by_challenge

TOKEN = "scrape-me-if-you-know-me"


def test_sign_ins_tokens_and_times_are_counted_for_callers_with_the_token(tmp_path: Path) -> None:
    with running(tmp_path, sections={"metrics": {"token": TOKEN}}) as server:
        house = seed(server)
        for _ in range(2):
            tokens_by_challenge(house.own, "ada@example.com", "openid")
        with server.http() as http:
            assert http.get("/metrics").status_code == 401
            assert http.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
            page = http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text
        house.close()
    assert 'doorward_sign_ins_total{kind="succeeded"} 2.0' in page
    assert 'doorward_tokens_issued_total{kind="authorization_code"} 2.0' in page
    timed = re.search(r'doorward_request_seconds_count\{endpoint="/authorize-challenge"\} (\d+)', page)
    assert timed is not None
    assert int(timed[1]) == 2
    assert "ada@example.com" not in page
