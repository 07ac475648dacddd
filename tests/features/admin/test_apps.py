"""Administration of apps, APIs and roles: registration, changes, and what ends with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.features.admin.apps import NewSecret
from doorward.features.admin.error import AdminError
from tests.features.admin.managing import ISSUER, OPERATOR, WEB, Desk, opened
from tests.manual_clock import NOW

pytestmark = pytest.mark.anyio
API = "https://api.example.com"
JWKS: dict[str, Any] = {
    "keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a"}]
}


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    async with opened() as made:
        await made.apis.create(
            OPERATOR, API, name="orders", permissions=[Permission("orders:read"), Permission("orders:write")]
        )
        yield made


async def made(desk: Desk, **changes: Any) -> NewSecret:
    return await desk.apps.create(OPERATOR, structs.replace(WEB, **changes), kind="web")


@pytest.mark.requirement(17)
async def test_a_secret_is_random_shown_once_and_stored_as_a_hash(desk: Desk) -> None:
    web = await made(desk)
    assert web.secret is not None
    assert web.secret.reveal().startswith("dw_cs_")
    assert len(web.secret.reveal()) == len("dw_cs_") + 43
    (stored,) = (await desk.apps.get(OPERATOR, "web")).secrets
    assert stored.hash == digest(web.secret.reveal())
    assert "dw_cs_" not in repr(web)


async def test_a_public_app_has_no_secret(desk: Desk) -> None:
    assert (await made(desk, auth_method="none")).secret is None


async def test_access_is_given_by_name_identifier_or_id(desk: Desk) -> None:
    api = await desk.apis.get(OPERATOR, "orders")
    for number, text in enumerate(
        [
            "orders:orders:read",
            f"{API}:orders:read",
            f"{api.id}:orders:read",
            "ORDERS:orders:read",
            f"{API}/:orders:read",
        ]
    ):
        app = await desk.apps.create(
            OPERATOR, structs.replace(WEB, name=f"a{number}"), kind="web", access=[text]
        )
        assert app.client.access == {API: ("orders:read",)}
    everything = await desk.apps.create(
        OPERATOR, structs.replace(WEB, name="all"), kind="web", access=["orders"]
    )
    assert everything.client.access == {API: ("orders:read", "orders:write")}


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (["ordrs:orders:read"], "access_api_unknown: .*near='orders'"),
        (["orders:orders:raed"], "permission_unknown: .*'orders:raed'"),
        (["https://api.example.org"], "access_api_unknown: .*near='https://api.example.com'"),
    ],
)
async def test_a_misspelt_api_or_permission_is_reported(desk: Desk, access: list[str], said: str) -> None:
    with pytest.raises(AdminError, match=said):
        await desk.apps.create(OPERATOR, WEB, kind="web", access=access)


@pytest.mark.requirement(3)
@pytest.mark.parametrize("uri", ["javascript:alert(1)", "https://a.example/#x", "https://u@a.example/"])
async def test_a_bad_redirect_uri_is_refused(desk: Desk, uri: str) -> None:
    with pytest.raises(AdminError):
        await made(desk, redirect_uris=(uri,))
    await made(desk)
    with pytest.raises(AdminError):
        await desk.apps.add_redirect_uri(OPERATOR, "web", uri)
    with pytest.raises(AdminError):
        await desk.apps.update(OPERATOR, "web", lambda app: structs.replace(app, redirect_uris=(uri,)))
    assert (await desk.apps.get(OPERATOR, "web")).redirect_uris == WEB.redirect_uris


async def test_names_are_unique_regardless_of_case(desk: Desk) -> None:
    await made(desk)
    with pytest.raises(AdminError, match="app_name_taken"):
        await made(desk, name="WEB")
    with pytest.raises(AdminError, match="name_like_id"):
        await made(desk, name="app_x")
    await made(desk, name="other")
    with pytest.raises(AdminError, match="app_name_taken"):
        await desk.apps.update(OPERATOR, "other", lambda app: structs.replace(app, name="Web"))


async def test_concurrent_registrations_of_one_name_create_one_app(desk: Desk) -> None:
    outcomes = await asyncio.gather(*(made(desk) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(outcome, NewSecret) for outcome in outcomes) == 1
    assert [client.name for client in await desk.apps.find(OPERATOR)] == ["web"]


async def test_concurrent_changes_are_all_kept(desk: Desk) -> None:
    await made(desk)
    uris = [f"https://app.example.com/{number}" for number in range(6)]
    await asyncio.gather(*(desk.apps.add_redirect_uri(OPERATOR, "web", uri) for uri in uris))
    assert set((await desk.apps.get(OPERATOR, "web")).redirect_uris) == {*WEB.redirect_uris, *uris}


async def test_a_change_is_audited_with_its_fields_and_no_change_is_reported(desk: Desk) -> None:
    await made(desk)
    await desk.apps.update(
        OPERATOR, "web", lambda app: structs.replace(app, first_party=True), access=["orders:orders:read"]
    )
    (event,) = await desk.audited("app.changed")
    assert event.detail["changed"] == ["access", "first_party"]
    with pytest.raises(AdminError, match="unchanged"):
        await desk.apps.update(OPERATOR, "web", lambda app: app)
    with pytest.raises(AdminError, match="redirect_uri_repeated"):
        await desk.apps.add_redirect_uri(OPERATOR, "web", WEB.redirect_uris[0])


async def test_a_new_secret_replaces_the_old_one_now_or_later(desk: Desk) -> None:
    first = await made(desk)
    later = await desk.apps.rotate_secret(OPERATOR, "web", keep_old=3600)
    assert [secret.expires_at for secret in later.client.secrets] == [NOW + 3600, None]
    assert later.client.secrets[0].hash == first.client.secrets[0].hash
    now = await desk.apps.rotate_secret(OPERATOR, "web")
    assert now.secret is not None
    assert [secret.hash for secret in now.client.secrets] == [digest(now.secret.reveal())]
    await made(desk, name="spa", auth_method="none")
    with pytest.raises(AdminError, match="app_without_secret"):
        await desk.apps.rotate_secret(OPERATOR, "spa")


async def test_an_app_changes_its_authentication_method_and_keeps_its_id(desk: Desk) -> None:
    web = (await made(desk, pkce="or_nonce")).client

    async def to(**changes: Any) -> NewSecret:
        return await desk.apps.update(OPERATOR, "web", lambda app: structs.replace(app, **changes))

    pinned = await to(auth_method="client_secret_post", auth_pinned=True)
    assert (pinned.secret, pinned.client.secrets) == (None, web.secrets)
    with pytest.raises(AdminError, match="jwks_missing"):
        await to(auth_method="private_key_jwt")
    signing = await to(auth_method="private_key_jwt", jwks=JWKS)
    assert (signing.secret, signing.client.secrets, signing.client.jwks) == (None, (), JWKS)
    with pytest.raises(AdminError, match="jwks_unused"):
        await to(auth_method="client_secret_basic", jwks={**JWKS, "more": 1})
    again = await to(auth_method="client_secret_basic", auth_pinned=False)
    assert again.secret is not None
    assert again.client.jwks is None
    assert [secret.hash for secret in again.client.secrets] == [digest(again.secret.reveal())]
    with pytest.raises(AdminError, match="public_app_without_pkce"):
        await to(auth_method="none", pkce="optional")
    public = (await to(auth_method="none")).client
    assert (public.id, public.secrets, public.jwks, public.pkce) == (web.id, (), None, "required")
    kinds = [event.detail["changed"] for event in await desk.audited("app.changed")]
    assert kinds[-1] == ["auth_method", "secrets", "pkce"]


async def test_an_app_that_introspects_for_an_api_must_keep_a_credential(desk: Desk) -> None:
    await made(desk)
    await desk.apis.set_introspecting_app(OPERATOR, "orders", "web")
    with pytest.raises(AdminError, match="app_introspects"):
        await desk.apps.update(OPERATOR, "web", lambda app: structs.replace(app, auth_method="none"))
    await desk.apis.set_introspecting_app(OPERATOR, "orders", None)
    await desk.apps.update(OPERATOR, "web", lambda app: structs.replace(app, auth_method="none"))


@pytest.mark.requirement(3)
async def test_a_native_app_of_an_operator_may_have_a_permitted_scheme(desk: Desk) -> None:
    uri = "cursor://anysphere.cursor-mcp/oauth/callback"
    editor = structs.replace(WEB, name="editor", auth_method="none", redirect_uris=(uri,))
    with pytest.raises(AdminError, match="uri_scheme_private"):
        await desk.apps.create(OPERATOR, editor, kind="spa")
    await desk.apps.create(OPERATOR, editor, kind="native")
    assert (await desk.apps.add_redirect_uri(OPERATOR, "editor", "vscode://a.b/cb")).redirect_uris[0] == uri
    for other, code in (("unheardof://a/cb", "uri_scheme_undotted"), ("cursor:/cb", "uri_host_missing")):
        with pytest.raises(AdminError, match=code):
            await desk.apps.add_redirect_uri(OPERATOR, "editor", other)


async def test_a_native_app_with_its_own_keys_can_be_changed(desk: Desk) -> None:
    phone = structs.replace(
        WEB, name="phone", auth_method="private_key_jwt", jwks=JWKS, redirect_uris=("com.example.app:/cb",)
    )
    await desk.apps.create(OPERATOR, phone, kind="native")
    assert (
        await desk.apps.update(OPERATOR, "phone", lambda app: structs.replace(app, name="tablet"))
    ).client.redirect_uris == phone.redirect_uris
    with pytest.raises(AdminError, match="secret_on_device"):
        await desk.apps.update(
            OPERATOR, "tablet", lambda app: structs.replace(app, auth_method="client_secret_basic")
        )


async def test_at_most_two_secrets_are_live(desk: Desk) -> None:
    await made(desk)
    for _ in range(4):
        rotated = await desk.apps.rotate_secret(OPERATOR, "web", keep_old=3600)
        assert len(rotated.client.secrets) == 2
    desk.clock.time += 4000
    assert len((await desk.apps.rotate_secret(OPERATOR, "web", keep_old=60)).client.secrets) == 2


async def test_deleting_an_app_ends_its_grants_and_tokens(desk: Desk) -> None:
    web = (await made(desk)).client
    await desk.apis.set_introspecting_app(OPERATOR, "orders", "web")
    store = desk.store
    await store.commit(store.accounts.insert(Account("usr_1", "ada@example.com", NOW)))
    grant = Grant(
        id="grt_1", client_id=web.id, account_id="usr_1", audience=API, scopes=(), created_at=NOW,
        expires_at=NOW + 999, auth_time=NOW, acr="a", amr=("pwd",),
    )  # fmt: skip
    await store.commit(store.grants.insert(grant))
    await desk.apps.delete(OPERATOR, "web")
    assert await store.grants.live_of_account("usr_1", NOW) == []
    _, entries = await store.revocations.live(NOW)
    assert ("client", web.id) in {(entry.kind, entry.ref) for entry in entries}
    assert (await desk.apis.get(OPERATOR, "orders")).client_id is None
    with pytest.raises(AdminError, match="not_found: noun='app', given='web'"):
        await desk.apps.get(OPERATOR, "web")
    (event,) = await desk.audited("app.deleted")
    assert (event.client_id, event.detail["name"]) == (web.id, "web")


async def test_an_api_introspects_only_through_a_confidential_app(desk: Desk) -> None:
    web = (await made(desk)).client
    await made(desk, name="spa", auth_method="none")
    assert (await desk.apis.set_introspecting_app(OPERATOR, "orders", "web")).client_id == web.id
    assert (await desk.apis.set_introspecting_app(OPERATOR, API, None)).client_id is None
    with pytest.raises(AdminError, match="app_not_confidential"):
        await desk.apis.set_introspecting_app(OPERATOR, "orders", "spa")


@pytest.mark.parametrize(
    ("identifier", "name", "permissions", "said"),
    [
        (API, "other", [], "api_taken"),
        ("https://b.example", "Orders", [], "api_taken"),
        ("orders", None, [], "identifier_relative"),
        ("https://b.example#x", None, [], "identifier_fragment"),
        ("https://auth.example.com", None, [], "identifier_of_server"),
        ("https://b.example", None, ["openid"], "permission_reserved"),
        ("https://b.example", None, ["a", "a"], "permission_repeated"),
        ("https://b.example", None, ["a b"], "permission_invalid"),
        ("https://b.example", "api_x", [], "name_like_id: prefix='api_'"),
    ],
)
async def test_an_invalid_api_is_refused(
    desk: Desk, identifier: str, name: str | None, permissions: list[str], said: str
) -> None:
    with pytest.raises(AdminError, match=said):
        await desk.apis.create(
            OPERATOR, identifier, name=name, permissions=[Permission(text) for text in permissions]
        )


@pytest.mark.requirement(37)
async def test_one_url_is_one_api_in_any_spelling(desk: Desk) -> None:
    for spelled in (API + "/", "https://API.example.com", API + ":443"):
        with pytest.raises(AdminError, match="api_taken: name='orders'"):
            await desk.apis.create(OPERATOR, spelled, name="again", permissions=[])
        assert (await desk.apis.get(OPERATOR, spelled)).identifier == API
    with pytest.raises(AdminError, match="identifier_of_server"):
        await desk.apis.create(OPERATOR, f"{ISSUER}/", name="mine", permissions=[])
    await desk.apis.create(OPERATOR, API + "/v2", name="second", permissions=[])


async def test_deleting_an_api_removes_it_from_apps_and_roles(desk: Desk) -> None:
    await desk.apps.create(OPERATOR, WEB, kind="web", access=["orders"])
    await desk.roles.create(OPERATOR, "customer", permissions=["orders:orders:read"])
    await desk.apis.delete(OPERATOR, "orders")
    assert (await desk.apps.get(OPERATOR, "web")).access == {}
    (role,) = await desk.roles.find(OPERATOR)
    assert role.permissions == {}
    assert await desk.apis.find(OPERATOR) == []


async def test_a_role_holds_permissions_of_apis(desk: Desk) -> None:
    role = await desk.roles.create(OPERATOR, "customer", permissions=["orders:orders:read"], default=True)
    assert role.permissions == {API: ("orders:read",)}
    assert role.default
    with pytest.raises(AdminError, match="role_name_taken"):
        await desk.roles.create(OPERATOR, "Customer", permissions=())
    with pytest.raises(AdminError, match="permission_unknown"):
        await desk.roles.create(OPERATOR, "x", permissions=["orders:nothing"])
    with pytest.raises(AdminError, match="role_name_invalid"):
        await desk.roles.create(OPERATOR, " \u200b", permissions=())
    await desk.roles.delete(OPERATOR, "customer")
    assert await desk.roles.find(OPERATOR) == []
    assert [event.kind for event in await desk.audited()][-2:] == ["role.created", "role.deleted"]


async def test_apps_are_found_by_name_and_id_and_near_misses_are_suggested(desk: Desk) -> None:
    web: Client = (await made(desk)).client
    assert await desk.apps.get(OPERATOR, web.id) == await desk.apps.get(OPERATOR, "Web") == web
    with pytest.raises(AdminError, match=r"not_found: .*near='web'"):
        await desk.apps.get(OPERATOR, "wbe")
