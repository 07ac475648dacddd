"""Changes of roles and API permissions while people hold them; a deleted role is never inherited."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.config_snapshot import Permission, Role
from doorward.features.admin.error import AdminError
from doorward.features.oauth.clients.rules.entitle import Granted, entitle
from doorward.storage.sql.open import open_store
from tests.features.admin.managing import OPERATOR, WEB, Desk, admin_services
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio
API = "https://api.example.com"
ADA = "ada@example.com"


@pytest.fixture(params=["sqlite", "postgres"])
async def office(request: pytest.FixtureRequest) -> AsyncGenerator[Desk]:
    """A desk with an API, an app with all its permissions, and Ada without a role; on either engine."""
    place = ":memory:" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))
    store = await open_store(place)
    made = await admin_services(store, ManualClock())
    await made.config.refresh()
    permissions = [Permission("orders:read", "See your orders"), Permission("orders:write")]
    await made.apis.create(OPERATOR, API, name="orders", permissions=permissions)
    await made.apps.create(OPERATOR, WEB, kind="web", access=["orders"])
    await made.people.create(OPERATOR, ADA, roles=[])
    try:
        yield made
    finally:
        await made.container.aclose()
        await store.close()


async def given(office: Desk, account: Account | None = None) -> Granted:
    """What Ada's app is granted at the API with her next token."""
    config = await office.config.refresh()
    who = account or await office.people.get(OPERATOR, ADA)
    return entitle(
        config=config,
        client=await office.apps.get(OPERATOR, "web"),
        audience=API,
        scopes=("orders:read", "orders:write", "orders:refund"),
        role_names=who.role_names,
    )


async def by_name(office: Desk, role: str) -> Role:
    """A role as the previous version stored it, held by its name."""
    made = await office.roles.get(OPERATOR, role)
    old = structs.replace(made, key="")
    assert await office.store.commit(office.store.registry.put_role(old))
    await office.config.refresh()
    return old


@pytest.mark.parametrize("before", [False, True], ids=["new role", "role of the previous version"])
async def test_holders_of_a_deleted_role_do_not_get_a_new_role_of_the_same_name(
    office: Desk, before: bool
) -> None:
    await office.roles.create(OPERATOR, "admin", permissions=["orders:orders:read"])
    if before:
        await by_name(office, "admin")
    await office.people.grant_role(OPERATOR, ADA, "admin")
    assert (await given(office)).roles == ("admin",)
    await office.roles.delete(OPERATOR, "admin")
    assert await given(office) == Granted((), (), ())
    await office.roles.create(OPERATOR, "admin", permissions=["orders"])
    assert await given(office) == Granted((), (), ())
    assert (
        await office.people.with_role_names(OPERATOR, await office.people.get(OPERATOR, ADA))
    ).role_names == ()
    with pytest.raises(AdminError, match=r"role_not_held: .*role='admin'"):
        await office.people.revoke_role(OPERATOR, ADA, "admin")
    await office.people.grant_role(OPERATOR, ADA, "admin")
    assert (await given(office)).permissions == ("orders:read", "orders:write")
    assert (
        await office.people.with_role_names(OPERATOR, await office.people.get(OPERATOR, ADA))
    ).role_names == ("admin",)


async def test_roles_held_by_name_still_apply(office: Desk) -> None:
    await office.roles.create(OPERATOR, "clerk", permissions=["orders:orders:read"], default=True)
    await by_name(office, "clerk")
    ada = await office.people.grant_role(OPERATOR, ADA, "clerk")
    assert ada.role_names == ("clerk",)
    assert (await given(office)).roles == ("clerk",)
    bob = await office.people.create(OPERATOR, "bob@example.com")
    assert (await given(office, bob)).roles == ("clerk",)
    # it stays theirs under a new name, and the old name is free for another role
    await office.roles.update(OPERATOR, "clerk", name="counter", allow=["orders"])
    assert (await given(office)).roles == ("counter",)
    assert (await given(office)).permissions == ("orders:read", "orders:write")
    await office.roles.create(OPERATOR, "clerk", permissions=["orders"])
    assert (await given(office)).roles == ("counter",)
    await office.people.revoke_role(OPERATOR, ADA, "counter")
    assert await given(office) == Granted((), (), ())
    assert (
        await office.people.with_role_names(OPERATOR, await office.people.get(OPERATOR, "bob@example.com"))
    ).role_names == ("counter",)


async def test_a_role_can_be_changed_while_people_hold_it(office: Desk) -> None:
    await office.roles.create(OPERATOR, "clerk", permissions=["orders:orders:read"])
    await office.apis.create(
        OPERATOR, "https://stock.example.com", name="stock", permissions=[Permission("count")]
    )
    await office.people.grant_role(OPERATOR, ADA, "clerk")
    changed = await office.roles.update(
        OPERATOR, "clerk", allow=["orders:orders:write", "stock"], default=True
    )
    assert changed.permissions == {API: ("orders:write",), "https://stock.example.com": ("count",)}
    assert changed.default
    assert (await given(office)).permissions == ("orders:write",)
    narrowed = await office.roles.update(OPERATOR, "clerk", disallow=["orders"], default=False)
    assert narrowed.permissions == {"https://stock.example.com": ("count",)}
    assert await given(office) == Granted((), (), ())
    assert await office.roles.get(OPERATOR, "clerk") == narrowed
    first, second = await office.audited("role.changed")
    assert first.detail["added"] == [f"{API}:orders:write", "https://stock.example.com:count"]
    assert first.detail["removed"] == [f"{API}:orders:read"]
    assert second.detail["removed"] == [f"{API}:orders:write"]
    wrongs: tuple[dict[str, Any], ...] = (
        {"disallow": ["orders"]},
        {"allow": ["orders:nothing"]},
        {"name": "clerk"},
        {"default": False},
        {"name": "rol_x"},
    )
    for wrong in wrongs:
        with pytest.raises(AdminError):
            await office.roles.update(OPERATOR, "clerk", **wrong)
    await office.roles.create(OPERATOR, "other", permissions=())
    with pytest.raises(AdminError, match="role_name_taken"):
        await office.roles.update(OPERATOR, "clerk", name="OTHER")


async def test_permissions_are_added_to_an_api_in_use_and_removed_from_all_holders(office: Desk) -> None:
    await office.roles.create(OPERATOR, "clerk", permissions=["orders"])
    await office.people.grant_role(OPERATOR, ADA, "clerk")
    refund = Permission("orders:refund", "Pay back")
    api = await office.apis.update(OPERATOR, "orders", lambda found: found, permissions=[refund])
    assert [one.name for one in api.permissions] == ["orders:read", "orders:write", "orders:refund"]
    # holders of all existing permissions do not get later ones
    assert (await given(office)).permissions == ("orders:read", "orders:write")
    await office.apps.update(OPERATOR, "web", lambda found: found, access=["orders"])
    await office.roles.update(OPERATOR, "clerk", allow=["orders"])
    assert (await given(office)).permissions == ("orders:read", "orders:write", "orders:refund")
    await office.apis.update(
        OPERATOR, "orders", lambda found: found, without=["orders:refund", "orders:write"]
    )
    assert (await given(office)).permissions == ("orders:read",)
    assert (await office.apps.get(OPERATOR, "web")).access == {API: ("orders:read",)}
    assert (await office.roles.get(OPERATOR, "clerk")).permissions == {API: ("orders:read",)}
    # a later permission of that name must be granted again
    await office.apis.update(OPERATOR, "orders", lambda found: found, permissions=[refund])
    assert (await given(office)).permissions == ("orders:read",)
    added, removed, _ = await office.audited("api.changed")
    assert (added.detail["added"], added.detail["removed"]) == (["orders:refund"], [])
    assert (removed.detail["added"], removed.detail["removed"]) == ([], ["orders:refund", "orders:write"])


async def test_invalid_changes_of_an_api_are_refused(office: Desk) -> None:
    words = await office.apis.update(
        OPERATOR, "orders", lambda found: found, permissions=[Permission("orders:write", "Buy")]
    )
    assert words.permissions == (
        Permission("orders:read", "See your orders"),
        Permission("orders:write", "Buy"),
    )
    renamed = await office.apis.update(OPERATOR, "orders", lambda found: structs.replace(found, name="shop"))
    assert renamed.name == "shop"
    await office.apis.create(OPERATOR, "https://stock.example.com", name="stock", permissions=[])
    read = Permission("orders:read")
    for name, permissions, without in (
        ("shop", [read], ()),
        ("shop", [Permission("openid")], ()),
        ("shop", [Permission("a b")], ()),
        ("shop", [], ["orders:none"]),
        ("shop", [read], ["orders:read"]),
        ("shop", [Permission("x"), Permission("x")], ()),
        ("Stock", [], ()),
        ("api_x", [], ()),
    ):
        with pytest.raises(AdminError):
            await office.apis.update(
                OPERATOR,
                "shop",
                lambda found, name=name: structs.replace(found, name=name),
                permissions=permissions,
                without=without,
            )
    assert (await office.apis.get(OPERATOR, "shop")).permissions == words.permissions


async def test_a_role_of_the_previous_version_is_read(office: Desk) -> None:
    old = Role(id="rol_1", name="old", permissions={}, created_at=NOW)
    assert await office.store.commit(office.store.registry.put_role(old))
    assert (await office.store.registry.load()).roles_held["old"] == old
