"""Demands of apps and roles for a second factor: set and taken back, and refused while an older program runs (R85)."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from msgspec import structs

from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.admin import build
from doorward.features.admin.error import AdminError
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.front_channel import Front, front_channel

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(85)]
OLD = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 999999, 9999999999)"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        yield opened


async def test_an_app_demands_a_second_factor_and_older_programs_are_refused(front: Front) -> None:
    apps = front.services.get(build.apps)
    own = await front.store.meta("schema.readable")
    assert own is not None
    version, before = own.split()
    assert before != version
    done = await apps.update(
        OPERATOR, made.client().name, lambda old: structs.replace(old, second_factor="required")
    )
    assert done.client.second_factor == "required"
    assert await front.store.meta("schema.readable") == f"{version} {version}"
    (event,) = await front.audited("app.changed")
    assert event.detail["changed"] == ["second_factor"]
    done = await apps.update(
        OPERATOR, made.client().name, lambda old: structs.replace(old, second_factor="default")
    )
    assert done.client.second_factor == "default"


async def test_a_role_demands_a_second_factor(front: Front) -> None:
    roles = front.services.get(build.roles)
    changed = await roles.update(OPERATOR, "reader", second_factor=True)
    assert changed.second_factor
    assert (await roles.get(OPERATOR, "reader")).second_factor
    assert not (await roles.update(OPERATOR, "reader", second_factor=False)).second_factor
    created = await roles.create(OPERATOR, "auditor", permissions=(), second_factor=True)
    assert created.second_factor


async def test_nothing_demands_one_while_an_older_program_runs(front: Front) -> None:
    apps, roles = front.services.get(build.apps), front.services.get(build.roles)
    await front.store._db.apply(((OLD, (), None),))
    with pytest.raises(AdminError, match="older_program"):
        await apps.update(
            OPERATOR, made.client().name, lambda old: structs.replace(old, second_factor="required")
        )
    with pytest.raises(AdminError, match="older_program"):
        await roles.update(OPERATOR, "reader", second_factor=True)
    with pytest.raises(AdminError, match="older_program"):
        await roles.create(OPERATOR, "auditor", permissions=(), second_factor=True)
    # older programs would not end what was exchanged, and issue tokens without may_act
    for changes in ({"exchange": ExchangePolicy()}, {"may_act": "app_orders"}):
        with pytest.raises(AdminError, match="older_program"):
            await apps.update(OPERATOR, made.client().name, lambda old, c=changes: structs.replace(old, **c))
    # other changes are made as ever
    await roles.update(OPERATOR, "reader", default=True)
