"""The last way to sign in stays: one rule, whichever way is taken away, and by however many requests at once (R73, R89)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import product
from pathlib import Path

import pytest

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.passkey import Passkey
from doorward.core.model.provider import ExternalIdentity
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.features.authn.factors.passkeys.build import remove_passkey
from doorward.features.authn.flow.build import offered_factors
from doorward.features.authn.providers.build import connect_identities, identity_providers
from doorward.features.authn.providers.rules.identity import issuer_mark
from doorward.features.authn.providers.settings import ProviderPolicies, ProviderPolicy
from tests.engines import BOTH, on
from tests.front_channel import CALLER, Front, front_channel

pytestmark = pytest.mark.anyio
ISSUER, REMOVED = "https://accounts.example.net", "https://not-offered.example"
POLICY = ProviderPolicy(issuer=ISSUER, label="Example", client_id="d", client_secret=Secret("s" * 20))
PROVIDERS = ProviderPolicies(by_name={"example": POLICY})


async def passkey(front: Front, account: Account, name: str, *, copied: bool = False) -> str:
    factor_id = f"fac_{account.id}_{name}"
    made = Passkey(
        factor_id=factor_id,
        account_id=account.id,
        credential_id=factor_id.encode(),
        public_key=b"k",
        alg=-7,
        sign_count=1,
        aaguid="00000000-0000-0000-0000-000000000000",
        name=name,
        suspect_at=front.now if copied else None,
    )
    row = EnrolledFactor(factor_id, account.id, "passkey", front.now)
    assert await front.store.commit(front.store.accounts.add_factor(row), front.store.passkeys.insert(made))
    return factor_id


async def connection(front: Front, account: Account, name: str, *, issuer: str = ISSUER) -> str:
    factor_id = f"fac_{account.id}_{name}"
    row = EnrolledFactor(factor_id, account.id, "provider", front.now, code_hash=issuer_mark(issuer))
    identity = ExternalIdentity(
        factor_id=factor_id, account_id=account.id, issuer=issuer, subject=factor_id, email=""
    )
    added = front.store.accounts.add_factor(row), front.store.external_identities.insert(identity)
    assert await front.store.commit(*added)
    return factor_id


async def without_passkey(front: Front, account: Account, session: Session, factor_id: str) -> object:
    removal = front.services.get(remove_passkey)
    return await removal.remove(account, session, factor_id, caller=CALLER, now=front.now)


async def without_connection(front: Front, account: Account, session: Session, factor_id: str) -> object:
    identities = front.services.get(connect_identities)
    return await identities.disconnect(account, session, factor_id, label="", caller=CALLER, now=front.now)


@pytest.mark.requirement(73)
async def test_whichever_way_is_taken_away_the_same_others_count() -> None:
    """A password, a passkey that is not refused, and a connection to a provider that is offered; nothing else."""
    cells = product((False, True), ("none", "working", "copied"), ("none", "offered", "removed"))
    async with front_channel(providers=PROVIDERS) as front:
        for number, (password, key, linked) in enumerate(cells):
            name = f"usr_{number}"
            changes = {} if password else {"password_hash": None}
            account = await front.person(id=name, email=f"{name}@example.com", **changes)
            second = EnrolledFactor(f"fac_{name}_app", account.id, "totp", front.now)
            assert await front.store.commit(front.store.accounts.add_factor(second))
            if key != "none":
                await passkey(front, account, "kept", copied=key == "copied")
            if linked != "none":
                issuer = ISSUER if linked == "offered" else REMOVED
                await connection(front, account, "kept-link", issuer=issuer)
            rows = await front.store.accounts.factors(account.id)
            stays = password or key == "working" or linked == "offered"
            assert await front.services.get(offered_factors).way_in(account, rows) == stays
            session = await front.session(account, name * 9)
            added = await passkey(front, account, "extra")
            found = await without_passkey(front, account, session, added)
            assert found == (None if stays else "last"), (password, key, linked)
            if not stays:
                assert await front.store.commit(front.store.accounts.remove_factor(account.id, added))
            linked_too = await connection(front, account, "extra-link")
            found = await without_connection(front, account, session, linked_too)
            assert found == (None if stays else "last"), (password, key, linked)


@asynccontextmanager
async def two_nodes(database: str) -> AsyncGenerator[tuple[Front, Front]]:
    """Two servers on one database."""
    async with AsyncExitStack() as opened:
        settings = {"database": database, "providers": PROVIDERS}
        one = await opened.enter_async_context(front_channel(**settings))
        yield one, await opened.enter_async_context(front_channel(**settings))


@on(BOTH)
@pytest.mark.requirement(73)
async def test_of_the_last_two_ways_one_stays_when_both_are_taken_away_at_once(
    tmp_path: Path, own_database: str | None
) -> None:
    """The unlink race, at two nodes: a passkey and a connection, each the other's reason why it may go."""
    async with two_nodes(own_database or str(tmp_path / "both.db")) as (one, two):
        for turn in range(6):
            name = f"usr_{turn}"
            account = await one.person(id=name, email=f"{name}@example.com", password_hash=None)
            key, link = await passkey(one, account, "key"), await connection(one, account, "link")
            session = await one.session(account, name * 9)
            outcomes = await asyncio.gather(
                without_passkey(one, account, session, key), without_connection(two, account, session, link)
            )
            left = await one.store.accounts.factors(account.id)
            assert len(left) == 1, outcomes
            assert sum(outcome is None for outcome in outcomes) == 1


@on(BOTH)
@pytest.mark.requirement(89)
async def test_an_identity_that_two_people_connect_at_once_belongs_to_one(
    tmp_path: Path, own_database: str | None
) -> None:
    async with two_nodes(own_database or str(tmp_path / "both.db")) as nodes:
        for turn in range(6):
            names = f"usr_a{turn}", f"usr_b{turn}"
            people = [await nodes[0].person(id=name, email=f"{name}@example.com") for name in names]
            sessions = [await nodes[0].session(one, one.id * 9) for one in people]
            outcomes = await asyncio.gather(
                *(
                    node.services.get(connect_identities).connect(
                        account,
                        node.services.get(identity_providers)["example"],
                        issuer=ISSUER,
                        subject=f"subject {turn}",
                        email="",
                        session_id=session.id,
                        caller=CALLER,
                        now=node.now,
                    )
                    for node, account, session in zip(nodes, people, sessions, strict=True)
                )
            )
            (won,) = [one for one in outcomes if isinstance(one, ExternalIdentity)]
            stored = await nodes[1].store.external_identities.by_subject(ISSUER, f"subject {turn}")
            assert stored is not None
            assert stored.account_id == won.account_id
            rows = [await nodes[0].store.accounts.factors(one.id) for one in people]
            # the one who lost has not half of it either
            assert sorted(map(len, rows)) == [0, 1]
