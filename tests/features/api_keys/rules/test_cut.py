"""What a key allows: never more than its owner, and nothing for another one."""

from __future__ import annotations

from msgspec.structs import replace

from doorward.core.model.config_snapshot import Role
from doorward.features.api_keys.rules.cut import NOTHING, Allowed, cut, loses, of_app, of_person
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


def test_a_loss_is_less_of_anything() -> None:
    both, one = Allowed(("a", "b"), ("r",)), Allowed(("a",), ("r",))
    assert loses(both, one)
    assert loses(one, Allowed(("a",)))
    assert not loses(one, both)
    assert not loses(one, one)
