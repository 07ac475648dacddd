"""What a line of a person's action holds: places are looked up when it is written, and what is personal is salted."""

from __future__ import annotations

import ast

import pytest

from doorward.adapters.random import SystemRandom
from doorward.core.model.caller import Caller
from doorward.core.model.place import NetworkKind, Place
from doorward.features.audit.service import AuditLog
from doorward.storage.sql.store import Store
from tests.repository import tree

pytestmark = pytest.mark.anyio


class Moving:
    """Files of places that change."""

    def __init__(self) -> None:
        self.place: Place | None = Place(country="DE", city="Köln")

    def find(self, address: str) -> Place | None:
        assert address == "203.0.113.7"
        return self.place

    def network(self, address: str) -> NetworkKind | None:
        return "hosting" if self.place is not None and address else None


@pytest.mark.requirement(99)
async def test_the_place_is_that_of_the_moment_and_stays(store: Store) -> None:
    places = Moving()
    log = AuditLog(store=store, random=SystemRandom(), places=places)
    await store.commit(log.write("sign_in.succeeded", caller=Caller("203.0.113.7"), now=1))
    places.place = None
    await store.commit(log.write("sign_in.succeeded", caller=Caller("203.0.113.7"), now=2))
    await store.commit(log.write("sign_in.succeeded", caller=Caller(), now=3))
    nowhere, unknown, known = await store.audit.page()
    assert (known.place, known.network) == (Place(country="DE", city="Köln"), "hosting")
    assert (unknown.place, unknown.network, unknown.address) == (None, None, "203.0.113.7")
    assert (nowhere.place, nowhere.address, nowhere.erased) == (None, None, False)


def test_every_line_of_the_program_is_salted() -> None:
    """Without a salt all addresses could be tried against the hash that stays after an erasure."""
    calls = [
        (path.name, call)
        for path in tree.SERVER.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("audit.append")
    ]
    assert len(calls) >= 3
    assert [name for name, call in calls if not any(word.arg == "salt" for word in call.keywords)] == []
