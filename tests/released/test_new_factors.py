"""Tests of kinds of factors that a released node does not know: none is set up while one runs, and none starts after the first one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.account import EnrolledFactor
from doorward.features.admin import build as admin
from doorward.features.admin.error import AdminError
from doorward.features.services import Services
from doorward.storage.sql.open import open_store
from doorward.storage.sql.statements import write
from tests.authenticator import Authenticator
from tests.flows.browsing import Page
from tests.flows.passkeys import SIGN_IN, try_to_add, use_passkey
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD
from tests.found import found
from tests.released.nodes import Nodes, Wanderer, both_nodes
from tests.released.tree import extract, history
from tests.waiting import until

UPDATED = "this service is being updated"
SECTIONS: dict[str, dict[str, Any]] = {
    "second_factor": {"kinds": ["passkey", "totp", "email_code", "sms"]},
    # without a gateway the messages stay in the development outbox
    "sms": {"channel": "webhook", "countries": ["DE"]},
}


async def _held(place: str, email: str) -> list[EnrolledFactor]:
    store = await open_store(place)
    try:
        (account,) = await store.accounts.find(email)
        return list(await store.accounts.factors(account.id))
    finally:
        await store.close()


async def _forget_older(place: str) -> None:
    store = await open_store(place)
    try:
        await store.commit(write("DELETE FROM nodes WHERE program IS NULL"))
    finally:
        await store.close()


def held(place: str, email: str = "ada@example.com") -> list[str]:
    """The kinds of factors that somebody has."""
    return [row.kind for row in asyncio.run(_held(place, email))]


def not_yet(page: Page) -> bool:
    """Whether the page says that it has to wait for the update."""
    return page.status == 503 and UPDATED in (page.problem or "")


def demand(nodes: Nodes) -> None:
    """An operator lets a role demand a second factor."""

    async def update(services: Services) -> None:
        await services.get(admin.roles).update(os_actor(), "clerk", second_factor=True)

    operate(nodes.now.config, update)


def tried(person: Wanderer, phone: Authenticator) -> list[Page]:
    """Setting up of each new kind."""
    return [
        try_to_add(person, phone),
        person.press(person.open("/account/methods/phone"), "phone", number="+491712345678"),
        person.press(person.open("/account/methods/email"), "mail-codes-send"),
    ]


@pytest.mark.requirement(85)
def test_no_new_kind_is_set_up_beside_an_older_node_and_none_starts_after_the_first(
    tmp_path: Path, postgres_url: str
) -> None:
    found(history())
    tree = extract(tmp_path / "tree")
    (tmp_path / "nodes").mkdir()
    with both_nodes(tmp_path / "nodes", tree, postgres_url, host="localhost", sections=SECTIONS) as nodes:
        person, phone = nodes.person(nodes.now, permitted=503), Authenticator(origin=nodes.issuer)
        page = person.sign_in(person.open("/sign-in"), "ada@example.com", PASSWORD)
        assert page.path == "/account"
        assert [not_yet(page) for page in tried(person, phone)] == [True, True, True]
        assert held(postgres_url) == []
        with pytest.raises(AdminError, match="older_program"):
            demand(nodes)
        # the released node goes on signing people in
        other = nodes.person(nodes.then)
        assert other.sign_in(other.open("/sign-in"), "ada@example.com", PASSWORD).path == "/account"

        # one that was not registered when the first factor was stored takes itself out, as soon as anybody asks whether it is ready
        def slipped() -> bool:
            asyncio.run(_forget_older(postgres_url))
            return not not_yet(try_to_add(person, phone))

        until(slipped, nodes.now.log.read_text)
        assert set(held(postgres_url)) & {"passkey", "security_key"}
        until(lambda: not nodes.then.ready, nodes.then.log.read_text)
        assert nodes.then.running
        nodes.then.stop()

        # from now on what she may change is changed with the passkey
        owner = nodes.person(nodes.now, permitted=503)
        assert use_passkey(owner, owner.open(SIGN_IN), phone).path == "/account"
        until(
            lambda: not not_yet(try_to_add(owner, Authenticator(origin=nodes.issuer))),
            nodes.now.log.read_text,
        )
        assert [not_yet(page) for page in tried(owner, Authenticator(origin=nodes.issuer))] == [False] * 3
        demand(nodes)

        # the released program would sign her in by the password alone
        with pytest.raises(RuntimeError, match="does not start"):
            nodes.then.start()
        assert not nodes.then.running
        assert nodes.now.ready
