"""The acting operator in the audit log, in a form that older nodes and log consumers can read."""

from __future__ import annotations

import pytest

from doorward.adapters.random import SystemRandom
from doorward.core.model.actor import SERVER, Actor
from doorward.core.model.audit import AuditEvent
from doorward.features.audit.operator import operator_event
from doorward.storage.sqlite.database import open_sqlite

pytestmark = pytest.mark.anyio


async def stored(actor: Actor) -> AuditEvent:
    store = await open_sqlite(":memory:")
    write = operator_event(
        store,
        SystemRandom(),
        actor=actor,
        kind="app.created",
        now=7,
        client_id="app_1",
        name="web",
    )
    assert await store.commit(write)
    (event,) = await store.audit.page()
    await store.close()
    return event


async def test_the_audit_line_keeps_its_form_and_names_the_actor() -> None:
    event = await stored(Actor(kind="os_user", id="ada"))
    assert (event.at, event.kind, event.ok, event.client_id) == (7, "app.created", True, "app_1")
    assert event.detail == {"by": "operator", "actor": "os_user:ada", "name": "web"}


async def test_under_sudo_the_line_names_both_users() -> None:
    event = await stored(Actor(kind="os_user", id="ada", as_user="root"))
    assert event.detail == {"by": "operator", "actor": "os_user:ada", "as_user": "root", "name": "web"}


async def test_the_server_is_an_actor_too() -> None:
    assert (await stored(SERVER)).detail["by"] == "operator"
    assert (await stored(SERVER)).detail["actor"] == "server:doorward"
