"""Test that `doorward risk replay` says of past sign-ins in a real store what another policy would do: generated ones, whose verdicts the
trial computes line by line."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from time import time

import pytest

from doorward.cli import main
from doorward.core.model.audit import AuditEvent
from doorward.core.model.place import NETWORK_KINDS
from doorward.features.risk.rules.assess import assess
from doorward.features.risk.settings import RiskPolicy
from doorward.storage.sql.open import open_store
from tests.engines import POSTGRES_IN_SOAK
from trials.risk.files import places_of
from trials.risk.judge import ADDED, FAILED, SIGNED_IN, Server
from trials.risk.months import months
from trials.risk.people import END
from trials.risk.table import DAY

ENGINES = POSTGRES_IN_SOAK
DAYS = 61
# wrong guesses are counted otherwise in a replay: the log does not say from which devices they came
SETTINGS = RiskPolicy(password_spray="allow")
CHANGED = RiskPolicy(password_spray="allow", new_country="refuse", new_device="allow", recent_change="allow")


def test_a_replay_says_what_a_changed_policy_would_do(
    tmp_path: Path, own_database: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    made = months(5, 700)
    server = Server(places_of(made.world, tmp_path))
    now = int(time())
    expected: Counter[tuple[str, str]] = Counter()
    events: list[AuditEvent] = []
    for number, line in enumerate(made.lines):
        kind = ADDED if line.what == "changed" else SIGNED_IN if line.right else FAILED
        if line.what == "created":
            server.created[line.account] = line.at
        new = kind == SIGNED_IN and (line.account, line.device) not in server.known
        if kind == SIGNED_IN and line.at >= END - DAYS * DAY:
            facts = server.facts(line)
            expected[assess(facts, SETTINGS).verdict, assess(facts, CHANGED).verdict] += 1
        events.append(
            AuditEvent(
                id=f"aud_{number:032d}",
                at=line.at + now - END,
                kind=kind,
                ok=line.right,
                account_id=line.account,
                address=line.address or None,
                user_agent=line.agent or None,
                detail={"method": "pwd", "new_device": "yes"} if new else {"method": "pwd"},
            )
        )
        server.remember(line, passed=line.right)
    assert expected["ask_factor", "refuse"] > 1
    assert expected["ask_factor", "allow"] > 1
    assert expected["allow", "allow"] > 300

    config = tmp_path / "doorward.toml"
    lists = "\n".join(f'{kind} = ["{kind}"]' for kind in NETWORK_KINDS)
    config.write_text(
        f'issuer = "http://127.0.0.1:9000"\ndevelopment = true\ndatabase = "{own_database or "doorward.db"}"\n'
        f'[places]\ndatabase = "city.mmdb"\n{lists}\n[risk]\npassword_spray = "allow"\n',
        "utf-8",
    )
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[risk]\npassword_spray = "allow"\nnew_country = "refuse"\nnew_device = "allow"\nrecent_change = "allow"\n',
        "utf-8",
    )
    assert main(("migrate", "--config", str(config))) == 0
    asyncio.run(_write(own_database or str(tmp_path / "doorward.db"), events))
    capsys.readouterr()
    asked = ("risk", "replay", "--since", f"{DAYS}d", "--policy", str(policy), "--json")
    assert main((*asked, "--config", str(config))) == 0
    found = json.loads(capsys.readouterr().out)
    verdicts = Counter(verdict for verdict, _ in expected.elements())
    changed = Counter(verdict for _, verdict in expected.elements())
    assert found["sign_ins"] == expected.total()
    assert {name: count for name, count in found["settings"].items() if count} == verdicts
    assert {name: count for name, count in found["policy"].items() if count} == changed
    differing = Counter({pair: count for pair, count in expected.items() if pair[0] != pair[1]})
    assert Counter((one["settings"], one["policy"]) for one in found["shown"]) == differing
    assert all(one["why"] for one in found["shown"])


async def _write(database: str, events: list[AuditEvent]) -> None:
    store = await open_store(database)
    try:
        for start in range(0, len(events), 200):
            assert await store.commit(*(store.audit.append(one) for one in events[start : start + 200]))
    finally:
        await store.close()
