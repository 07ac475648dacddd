"""An import that is killed: the same command goes on, and every record is imported and audited once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH
from tests.features.admin.imports.importing import BCRYPT, lines
from tests.flows.running import operate
from tests.flows.settings import environment, write_settings
from tests.waiting import PATIENCE, until

ENGINES = BOTH
PEOPLE = 3000
KILLS = 2


def test_a_killed_import_goes_on_and_imports_everybody_once(tmp_path: Path, own_database: str | None) -> None:
    config = write_settings(tmp_path, "http://127.0.0.1:9000", database=own_database)
    people: list[dict[str, object]] = [
        {"email": f"p{number}@example.com", "email_verified": True, "password": BCRYPT}
        for number in range(PEOPLE)
    ]
    people[PEOPLE // 2] = {"email": "x"}
    (tmp_path / "people.jsonl").write_bytes(lines(people))
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
    rng = random.Random(7)
    killed = 0
    for part in range(KILLS):
        # later each time, at any moment of a batch
        wanted = int(PEOPLE * (part + rng.random()) / (KILLS + 1))
        killed += _killed(command, config, wanted) == -signal.SIGKILL
    assert killed == KILLS, "the import ended before it was killed"
    ended = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=False)
    document = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert document["resumed_after"] > 0
    counts = document["counts"]
    assert (counts["read"], counts["created"], counts["refused"]) == (PEOPLE, PEOPLE - 1, 1)
    assert _count(config) == PEOPLE - 1
    created, whole = operate(config, _audited)
    assert set(created.values()) == {1}
    assert (len(created), whole) == (PEOPLE - 1, 1)


def _killed(command: list[str], config: Path, wanted: int) -> int:
    """Start the import and kill it once it has made this many accounts. Returns its status."""
    process = subprocess.Popen(command, cwd=config.parent, env=environment(), stdout=subprocess.DEVNULL)
    until(lambda: _count(config) >= wanted or process.poll() is not None)
    process.kill()
    return process.wait(PATIENCE)


def _count(config: Path) -> int:
    return operate(config, lambda services: services.get(admin.people).count(os_actor()))


async def _audited(services: Services) -> tuple[Counter[str], int]:
    """How often each account was created by the audit log, and how many imports there were."""
    created: Counter[str] = Counter()
    before = None
    while page := await services.store.audit.page(before=before, kind="account.created", limit=1000):
        created.update(event.account_id for event in page if event.account_id is not None)
        before = page[-1].id
    return created, len(await services.store.audit.page(kind="accounts.imported"))
