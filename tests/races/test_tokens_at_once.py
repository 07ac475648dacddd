"""Tests that a refresh token and a code are redeemed once under 64 simultaneous HTTP requests to several processes on one
database.

Some rounds of each; 200 rounds are in tests/soak.
"""

from __future__ import annotations

import pytest
from anyio import to_thread

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.apps import App
from tests.flows.processes import Fleet
from tests.flows.running import operate
from tests.flows.seeds import API, draft
from tests.races.rounds import code_rounds, crossing_rounds, device_rounds, late_rounds, refresh_rounds

ENGINES = BOTH
pytestmark = pytest.mark.anyio


@pytest.mark.requirement(18)
async def test_64_simultaneous_refreshes_have_one_successor_and_sign_nobody_out(fleet: Fleet) -> None:
    await refresh_rounds(fleet, fleet.house.own, 10)


@pytest.mark.requirement(18)
async def test_a_successor_used_while_others_still_send_its_parent_signs_nobody_out(
    fleet: Fleet,
) -> None:
    await crossing_rounds(fleet, fleet.house.own, 10)


@pytest.mark.requirement(18)
async def test_64_late_repeats_at_once_are_all_answered_by_one_write_and_sign_nobody_out(
    fleet: Fleet, database: str | None
) -> None:
    await late_rounds(fleet, fleet.house.spa, database or str(fleet.config.parent / "doorward.db"))


@pytest.mark.requirement(15)
async def test_a_code_redeemed_64_times_at_once_succeeds_once_and_its_tokens_are_revoked(
    fleet: Fleet,
) -> None:
    await code_rounds(fleet, fleet.house.own, 10)


@pytest.mark.requirement(35)
async def test_a_device_code_redeemed_64_times_at_once_succeeds_once_and_its_tokens_are_revoked(
    fleet: Fleet,
) -> None:
    """better-auth#10135 too: the interval that one process raised holds at the other."""

    async def work(services: Services) -> App:
        app = draft("Line", "device", redirect_uris=())
        made = await services.get(admin.apps).create(os_actor(), app, kind="device", access=[API])
        return App(fleet.issuer, made.client.id, None, "")

    await device_rounds(fleet, await to_thread.run_sync(operate, fleet.config, work), 2)
