"""Roles and profile by a provider's claims: as the section maps them, in the sign-in itself, and no further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.account import Account
from doorward.features.admin import build as admin
from doorward.storage.sql.accounts import SqlAccounts
from doorward.storage.sql.statements import Write
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.tabs import sent_to

pytestmark = pytest.mark.anyio
SECTION: dict[str, Any] = {
    "roles_claim": "groups",
    "roles": ("shop-admins -> admin", "staff -> clerk", "gone -> nothing"),
    "profile": ("given_name", "tz -> zoneinfo"),
    "mapping": "each_sign_in",
}


async def roles_made(there: Journey) -> None:
    for name in ("admin", "clerk", "auditor"):
        await there.front.services.get(admin.roles).create(os_actor(), name, permissions=())
    await there.front.services.config.refresh()


async def bobs(there: Journey) -> set[str]:
    bob = await there.account(BOB["email"])
    assert bob is not None
    return {role.name for role in there.front.services.config.current().held(bob)}


async def test_roles_follow_the_groups_and_an_operators_stay(tmp_path: Path) -> None:
    async with journey(tmp_path, **SECTION) as there:
        await roles_made(there)
        people = there.front.services.get(admin.people)
        await there.sign_in(
            there.front.browser(), **BOB, groups=["staff", "gone"], given_name="Bob", tz="Europe/Rome"
        )
        assert await bobs(there) == {"clerk"}
        bob = await there.account(BOB["email"])
        assert bob is not None
        assert (bob.given_name, bob.zoneinfo) == ("Bob", "Europe/Rome")
        await people.grant_role(os_actor(), bob.id, "auditor")
        await there.sign_in(
            there.front.browser(), **BOB, groups=["shop-admins"], given_name="", tz="nonsense !"
        )
        assert await bobs(there) == {"admin", "auditor"}
        # an operator's own is not taken by the group that would give it too
        await people.grant_role(os_actor(), bob.id, "clerk")
        await there.sign_in(there.front.browser(), **BOB, groups=["staff"])
        await there.sign_in(there.front.browser(), **BOB)
        assert await bobs(there) == {"auditor", "clerk"}
        after = await there.account(BOB["email"])
        assert after is not None
        assert (after.given_name, after.zoneinfo) == ("Bob", "Europe/Rome"), (
            "what is no value changes nothing"
        )
        lines = await there.front.audited("account.mapped")
        assert [(line.detail["given"], line.detail["removed"]) for line in lines] == [
            ([], ["admin"]),
            (["admin"], ["clerk"]),
            (["clerk"], []),
        ]


async def test_a_claim_gives_no_role_that_the_mapping_does_not_name(tmp_path: Path) -> None:
    """Attack: whoever fills the claim puts the role's own name there, or widens it to a list."""
    async with journey(tmp_path, **SECTION) as there:
        await roles_made(there)
        for groups in (
            "admin",
            ["admin", "Shop-Admins", "shop-admins "],
            {"shop-admins": True},
            [["shop-admins"]],
        ):
            await there.sign_in(
                there.front.browser(), **BOB, groups=groups, roles=["admin"], role_names=["admin"]
            )
            assert await bobs(there) == set()


async def test_too_many_groups_for_the_token_change_nothing(tmp_path: Path) -> None:
    """vault#7510: a group overage never drops a role silently."""
    async with journey(tmp_path, **SECTION) as there:
        await roles_made(there)
        await there.sign_in(there.front.browser(), **BOB, groups=["staff"])
        page = await there.sign_in(there.front.browser(), **BOB, _claim_names={"groups": "src1"})
        assert page.path == "/account"
        assert await bobs(there) == {"clerk"}
        assert len(await there.front.audited("account.mapped")) == 1


async def test_groups_may_be_in_userinfo_and_of_the_first_sign_in_only(tmp_path: Path) -> None:
    async with journey(tmp_path, **{**SECTION, "mapping": "first"}) as there:
        await roles_made(there)
        there.provider.userinfo = {"groups": ["staff"]}
        await there.sign_in(there.front.browser(), **BOB)
        assert await bobs(there) == {"clerk"}
        there.provider.userinfo = {"groups": ["shop-admins"]}
        await there.sign_in(there.front.browser(), **BOB)
        assert await bobs(there) == {"clerk"}


@pytest.mark.requirement(72)
async def test_nobody_goes_on_with_the_roles_of_an_earlier_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else changes the account at every try. The group is gone at the provider, and so must be the role."""
    async with journey(tmp_path, **SECTION) as there:
        await roles_made(there)
        assert (await there.sign_in(there.front.browser(), **BOB, groups=["shop-admins"])).path == "/account"
        accounts = there.front.store.accounts

        def overtaken(_self: SqlAccounts, _account: Account, **_old: Account | None) -> Write:
            return accounts.use_up("fac_nobody", 0)

        with monkeypatch.context() as patched:
            patched.setattr(SqlAccounts, "replace", overtaken)
            page = await there.sign_in(there.front.browser(), **BOB, groups=[])
        assert "something changed meanwhile" in (page.problem or "")
        assert await bobs(there) == {"admin"}
        bob = await there.account(BOB["email"])
        assert bob is not None
        assert len(await there.front.store.sessions.live_of(bob.id, there.front.now)) == 1
        assert (await there.sign_in(there.front.browser(), **BOB, groups=[])).path == "/account"
        assert await bobs(there) == set()


async def test_what_the_mapping_gave_goes_with_the_connection(tmp_path: Path) -> None:
    async with journey(tmp_path, **SECTION) as there:
        await roles_made(there)
        await there.sign_in(there.front.browser(), **BOB, groups=["staff"])
        bob = await there.account(BOB["email"])
        assert bob is not None
        await there.front.services.get(admin.people).grant_role(os_actor(), bob.id, "auditor")
        await there.front.services.get(admin.factors).reset(os_actor(), bob.id)
        assert await bobs(there) == {"auditor"}


async def test_and_when_its_owner_disconnects_it(tmp_path: Path) -> None:
    async with journey(tmp_path, **SECTION) as there:
        await roles_made(there)
        ada = await there.front.person(role_names=())
        tab = await there.front.signed_in()
        page = await tab.on(await tab.get("/account/methods/providers"))
        url = sent_to(await tab.submit(page, "connect-example"))
        await tab.get(there.provider.approved(url, sub="work"))
        await there.sign_in(there.front.browser(), sub="work", groups=["staff"])
        held = there.front.services.config.current().held
        account = await there.front.store.accounts.get(ada.id)
        assert account is not None
        assert [role.name for role in held(account)] == ["clerk"]
        page = await tab.on(await tab.get("/account/methods/providers"))
        assert "disconnected" in (await tab.on(await tab.submit(page, "disconnect-1"))).words
        account = await there.front.store.accounts.get(ada.id)
        assert account is not None
        assert held(account) == ()
