"""What a verdict costs a sign-in, in statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.core.model.risk import Whereabouts
from doorward.core.ports.places import Places
from doorward.features.risk import service
from doorward.features.risk.rules.where import whereabouts
from doorward.features.risk.settings import RiskPolicy
from tests.browsing import PASSWORD
from tests.features.risk.watched import BERLIN, LISBON, at_home, stranger, watched
from tests.work_done import recorded

pytestmark = pytest.mark.anyio


async def statements(folder: Path, mode: str, *, known: bool) -> int:
    chosen = RiskPolicy(mode="off") if mode == "off" else RiskPolicy()
    folder.mkdir()
    async with watched(folder, policy=chosen) as front:
        await front.person()
        home = await at_home(front)
        tab = home if known else stranger(front, LISBON)
        page = await tab.get("/sign-in")
        with recorded() as steps:
            done = await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
        assert done.status == 303, done.words
        return len(steps)


@pytest.mark.parametrize(("known", "more"), [(True, 1), (False, 4)])
async def test_a_verdict_costs_one_read_on_a_known_device_and_few_on_others(
    tmp_path: Path, known: bool, more: int
) -> None:
    """On others: three reads, and the write that counts the account for its network."""
    off = await statements(tmp_path / "off", "off", known=known)
    assert await statements(tmp_path / "on", "on", known=known) == off + more


async def test_each_address_of_the_past_is_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def watch(address: str | None, places: Places) -> Whereabouts:
        asked.append(address)
        return whereabouts(address, places)

    async with watched(tmp_path, policy=RiskPolicy()) as front:
        await front.person()
        await at_home(front)
        for _ in range(3):
            await stranger(front, LISBON).sign_in()
        monkeypatch.setattr(service, "whereabouts", watch)
        await stranger(front, BERLIN).sign_in()
    assert sorted(map(str, asked)) == sorted({LISBON, BERLIN})
