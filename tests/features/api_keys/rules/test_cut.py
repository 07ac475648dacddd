"""What a key allows: never more than its owner, and nothing for another one."""

from __future__ import annotations

from msgspec.structs import replace

from doorward.core.model.config_snapshot import Role
from doorward.features.api_keys.rules.cut import NOTHING, Allowed, cut, narrowed, of_app, of_person
from tests.features import made
from tests.manual_clock import NOW
from tests.storage.samples_keys import api_key

KEY = api_key(audience=made.API, scopes=("orders:write", "orders:read"))
APPS = replace(KEY, account_id=None, client_id="app_web")


def test_a_persons_key_allows_what_their_roles_give() -> None:
    config = made.config()
    assert of_person(made.account(), config) == {made.API: ("orders:read",)}
    assert cut(KEY, made.account(), config) == Allowed(("orders:read",), ("reader",))
    assert cut(KEY, made.account(role_names=()), config) == Allowed(())
    assert cut(KEY, made.account(role_names=("gone",)), config) == Allowed(())
    both = Role(id="rol_w", name="writer", permissions={made.API: ("orders:write", "gone")}, created_at=NOW)
    wider = made.config(roles={"reader": config.roles["reader"], "writer": both})
    assert cut(KEY, made.account(role_names=("reader", "writer")), wider) == Allowed(
        ("orders:write", "orders:read"), ("reader", "writer")
    )


def test_a_key_allows_nothing_for_another_or_a_disabled_owner_or_a_gone_api() -> None:
    config = made.config()
    assert cut(KEY, made.account(id="usr_bob"), config) == NOTHING
    assert cut(KEY, made.account(disabled_at=NOW), config) == NOTHING
    assert cut(KEY, made.client(id="usr_ada"), config) == NOTHING, "an app in the place of a person"
    assert cut(APPS, made.account(id="app_web"), config) == NOTHING
    assert cut(KEY, None, config) == NOTHING
    assert cut(KEY, made.account(), made.config(apis={})) == Allowed((), ("reader",))


def test_an_apps_key_allows_what_the_app_has() -> None:
    config = made.config()
    assert cut(APPS, made.client(), config) == Allowed(("orders:write", "orders:read"))
    assert cut(APPS, made.client(access={made.API: ("orders:read",)}), config) == Allowed(("orders:read",))
    assert cut(APPS, made.client(id="app_other"), config) == NOTHING
    assert of_app(made.client(access={"https://gone.example": ("x",)}), config) == {}


def test_an_api_is_narrowed_when_a_role_an_app_or_itself_allows_less() -> None:
    before = made.config()
    api, role, client = before.apis[made.API], before.roles["reader"], before.clients["app_web"]
    assert narrowed(before, before) == ()
    for changed in (
        made.config(apis={}),
        made.config(apis={made.API: replace(api, permissions=api.permissions[1:])}),
        made.config(roles={}),
        made.config(roles={"reader": replace(role, permissions={})}),
        made.config(made.client(access={made.API: ("orders:write",)})),
        made.config(clients={}),
    ):
        assert narrowed(before, changed) == (made.API,)
    for changed in (
        made.config(roles={"reader": replace(role, name="other", key=role.held_as)}),
        made.config(roles={"reader": replace(role, permissions={made.API: ("orders:write", "orders:read")})}),
        made.config(client, made.public()),
    ):
        assert narrowed(before, changed) == ()
