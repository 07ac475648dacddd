"""Dynamic client registration over HTTP: register, sign in, read, change and remove (RFC 7591, RFC 7592)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from msgspec import structs

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission, Role
from doorward.core.model.digest import digest
from doorward.core.model.self_registered import InitialAccessToken
from doorward.features.oauth.registration.settings import RegistrationPolicy
from tests.browsing import Page
from tests.coming_apps import at_consent, opened
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.tabs import Tab, said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(60, 61)]
CALLBACK = "http://localhost/callback"
TOKEN = "dw_iat_" + "t" * 43


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel(registration=RegistrationPolicy(mode="open", per_network=8)) as front:
        await opened(front, "registration")
        yield front


async def sent(
    front: Front,
    method: str,
    path: str,
    body: object = None,
    token: str | None = None,
    *,
    address: str = "192.0.2.1",
) -> tuple[int, dict[str, Any], Page]:
    """One request with a JSON body."""
    headers = {"content_type": "application/json", "origin": "https://inspector.example"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    raw = b"" if body is None else msgspec.json.encode(body)
    page = await Tab(front.app, address).ask(method, path, body=raw, **headers)
    return page.status, msgspec.json.decode(page.text) if page.text else {}, page


async def register(
    front: Front, token: str | None = None, **members: Any
) -> tuple[int, dict[str, Any], Page]:
    """One registration of a public app."""
    values = {"client_name": "Example Tool", "redirect_uris": [CALLBACK], **members}
    return await sent(front, "POST", "/register", values, token)


def client_of(answer: dict[str, Any]) -> Client:
    return made.client(
        id=answer["client_id"],
        auth_method="none",
        secrets=(),
        redirect_uris=tuple(answer.get("redirect_uris", ())),
    )


async def initial(front: Front, **changes: Any) -> InitialAccessToken:
    values: dict[str, Any] = {
        "id": "iat_one",
        "name": "partners",
        "token_hash": digest(TOKEN),
        "created_at": front.now,
        "expires_at": front.now + 1000,
        "most": 2,
        **changes,
    }
    token = InitialAccessToken(**values)
    assert await front.store.commit(front.store.registered_apps.insert_token(token))
    return token


@pytest.mark.requirement(1, 12)
async def test_an_app_registers_itself_and_a_person_signs_in(front: Front) -> None:
    """Field failure 90370: the redirect URI is registered without the port that the app listens on later."""
    await front.person(role_names=("rol_reader",))
    status, answer, page = await register(front, scope="orders:read unknown")
    assert status == 201, answer
    assert page.header("cache-control") == "no-store"
    # CORS for the inspector: keycloak#43625
    assert page.header("access-control-allow-origin") == "*"
    assert answer["token_endpoint_auth_method"] == "none", (
        "an app with loopback addresses alone keeps no secret"
    )
    assert (answer["application_type"], answer["scope"]) == ("native", "orders:read")
    assert "client_secret" not in answer
    client, tab = client_of(answer), front.browser()
    uri = "http://localhost:49152/callback"
    answered: dict[str, str] = {}
    for _ in range(2):  # and each time
        shown = await at_consent(front, client, tab, redirect_uri=uri, scope="orders:read")
        assert "consent" in shown.forms, shown.words
        assert "localhost:49152" in shown.words
        assert "on your own device" in shown.words
        answered = said(await tab.submit(shown, "consent", decision="allow"))
    tokens = await front.redeem(client, answered["code"], redirect_uri=uri)
    assert (tokens["status"], tokens["scope"]) == (200, "orders:read")
    assert "refresh_token" in tokens, "without offline_access: medplum#9183"
    silent = await tab.get(front.asking(client, redirect_uri=uri, prompt="none"))
    assert said(silent)["error"] == "consent_required"
    row = await front.store.registered_apps.get(client.id)
    assert row is not None
    assert row.used_at == front.now
    assert row.token_hash == digest(answer["registration_access_token"])


async def test_parallel_sessions_of_one_app_survive_rotation(front: Front) -> None:
    """Field failure 27165."""
    await front.person(role_names=("rol_reader",))
    _, answer, _ = await register(front)
    client, tab = client_of(answer), front.browser()
    held: list[str] = []
    for _ in range(2):
        page = await at_consent(front, client, tab, scope="orders:read offline_access")
        code = said(await tab.submit(page, "consent", decision="allow"))["code"]
        held.append((await front.redeem(client, code))["refresh_token"])
    for _ in range(2):
        for place, token in enumerate(held):
            front.clock.time += 100
            again = await front.token(client, {"grant_type": "refresh_token", "refresh_token": token})
            assert again["status"] == 200, again
            held[place] = again["refresh_token"]


async def test_a_registration_is_read_changed_and_removed_with_its_token(front: Front) -> None:
    _, first, _ = await register(
        front, token_endpoint_auth_method="client_secret_post", application_type="native"
    )
    path, token = f"/register/{first['client_id']}", first["registration_access_token"]
    assert first["registration_client_uri"] == made.ISSUER + path
    assert first["client_secret_expires_at"] == 0
    status, read, _ = await sent(front, "GET", path, token=token)
    assert (status, read["registration_access_token"]) == (200, token)
    assert "client_secret" not in read, "only a hash is kept"
    change = {
        "client_id": first["client_id"],
        "redirect_uris": ["https://new.example.com/cb"],
        "client_name": "New",
    }
    for wrong in (
        {**change, "client_id": "dcr_other"},
        {**change, "client_secret": "guess"},
        {**change, "registration_access_token": token},
    ):
        assert (await sent(front, "PUT", path, wrong, token))[0] == 400
    status, changed, _ = await sent(
        front, "PUT", path, {**change, "client_secret": first["client_secret"]}, token
    )
    assert (status, changed["client_name"]) == (200, "New")
    assert changed["token_endpoint_auth_method"] == "client_secret_basic"
    newer = changed["registration_access_token"]
    assert newer != token
    assert (await sent(front, "GET", path, token=token))[0] == 401, "the token was replaced"
    assert (await sent(front, "DELETE", path, token=newer))[0] == 204
    assert (await sent(front, "GET", path, token=newer))[0] == 401
    gone = await front.token(client_of(first), {"grant_type": "refresh_token", "refresh_token": "dw_rt_x"})
    assert gone["error"] == "invalid_client"
    kinds = [
        kind
        for kind in ("app.registered", "app.registration_changed", "app.unregistered")
        for _ in await front.audited(kind)
    ]
    assert kinds == ["app.registered", "app.registration_changed", "app.unregistered"]


async def test_a_wrong_token_and_an_unknown_app_are_answered_alike(front: Front) -> None:
    _, first, _ = await register(front)
    one = await sent(front, "GET", f"/register/{first['client_id']}", token="dw_rat_" + "x" * 43)
    two = await sent(front, "GET", "/register/dcr_" + "0" * 32, token="dw_rat_" + "x" * 43)
    three = await sent(front, "GET", "/register/" + "x" * 5000, token=first["registration_access_token"])
    assert one[:2] == two[:2] == three[:2]
    assert one[0] == 401
    assert (await sent(front, "GET", f"/register/{first['client_id']}"))[0] == 401


@pytest.mark.requirement(96)
async def test_guesses_at_tokens_are_counted_by_network(front: Front) -> None:
    statuses = {
        (await sent(front, "GET", "/register/dcr_x", token=f"dw_rat_{number}", address="198.51.100.7"))[0]
        for number in range(120)
    }
    assert statuses == {401, 429}
    assert (await sent(front, "GET", "/register/dcr_x", token="dw_rat_x", address="203.0.113.1"))[0] == 401


@pytest.mark.requirement(3, 62)
async def test_bad_metadata_is_refused_with_the_codes_of_the_specification(front: Front) -> None:
    bad: tuple[tuple[dict[str, Any], str], ...] = (
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"sector_identifier_uri": "https://a.example/list"}, "invalid_client_metadata"),
        ({"jwks_uri": "https://a.example/keys"}, "invalid_client_metadata"),
    )
    for members, error in bad:
        status, answer, _ = await register(front, **members)
        assert (status, answer["error"]) == (400, error), answer
    assert await front.store.registered_apps.count() == 0


async def test_what_is_no_json_object_is_refused(front: Front) -> None:
    for body in (b"", b"[]", b'{"a": 1, "a": 2}', b'"x"', b"\xff", b"{" * 5000):
        page = await front.browser().ask("POST", "/register", body=body)
        assert page.status == 400, page.text
    page = await front.browser().ask("POST", "/register", body=b"{" + b" " * 17_000)
    assert page.status == 413


async def test_a_software_statement_is_ignored_and_so_are_logos(front: Front) -> None:
    status, answer, _ = await register(
        front,
        software_statement="a.b.c",
        logo_uri="https://169.254.169.254/x",
        first_party=True,
        access={made.API: ["orders:write"]},
    )
    assert status == 201
    assert not {"software_statement", "logo_uri", "first_party", "access"} & set(answer)
    row = await front.store.registered_apps.get(answer["client_id"])
    assert row is not None
    assert (row.client.first_party, row.client.access, row.client.registered_by) == (False, {}, "app")


@pytest.mark.requirement(93)
async def test_open_registrations_are_limited_by_network_and_in_number() -> None:
    policy = RegistrationPolicy(mode="open", per_network=3, per_hour=5, most=6)
    async with front_channel(registration=policy) as front:
        body = {"redirect_uris": [CALLBACK]}

        async def one(address: str) -> int:
            return (await sent(front, "POST", "/register", body, address=address))[0]

        assert [await one("192.0.2.1") for _ in range(4)] == [201, 201, 201, 429]
        assert [await one("2001:db8::1"), await one("2001:db8:0:0:ffff::1"), await one("2001:db8::2")] == [
            201,
            201,
            429,
        ]
        front.clock.time += 3601
        assert [await one("192.0.2.1"), await one("192.0.2.1")] == [201, 429]
        assert await front.store.registered_apps.count() == 6
        front.clock.time += 31 * 86_400
        await front.store.sweep(front.now)
        assert await front.store.registered_apps.count() == 0, "nobody has signed in to any of them"


async def test_without_a_valid_initial_token_nothing_is_registered() -> None:
    async with front_channel(registration=RegistrationPolicy(mode="token")) as front:
        await initial(front, redirect_hosts=("a.example",), access={made.API: ("orders:read",)})
        assert (await register(front))[0] == 401
        assert (await register(front, "dw_iat_wrong"))[0] == 401
        refused = await register(front, TOKEN, redirect_uris=["https://b.example/cb"])
        assert refused[1]["error"] == "invalid_redirect_uri"
        answer: dict[str, Any] = {}
        for _ in range(2):
            status, answer, _ = await register(
                front, TOKEN, redirect_uris=["https://a.example/cb"], scope="orders:read"
            )
            assert (status, answer["scope"]) == (201, "orders:read")
        assert (await register(front, TOKEN, redirect_uris=["https://a.example/cb"]))[0] == 401, "used up"
        # the token is gone, and the app keeps what it has, and gets no more
        assert await front.store.commit(front.store.registered_apps.delete_token("iat_one"))
        path, own = f"/register/{answer['client_id']}", answer["registration_access_token"]
        change = {"client_id": answer["client_id"], "redirect_uris": ["https://b.example/cb"]}
        assert (await sent(front, "PUT", path, change, own))[0] == 400
        assert (await sent(front, "PUT", path, {**change, "redirect_uris": ["https://a.example/2"]}, own))[
            0
        ] == 200


async def test_it_is_off_by_default_and_the_metadata_says_what_is_on(front: Front) -> None:
    said_on = msgspec.json.decode((await front.browser().get("/.well-known/oauth-authorization-server")).text)
    assert said_on["registration_endpoint"] == f"{made.ISSUER}/register"
    async with front_channel() as plain:
        assert (await plain.browser().ask("POST", "/register", body=b"{}")).status == 404
        found = msgspec.json.decode((await plain.browser().get("/.well-known/openid-configuration")).text)
        assert "registration_endpoint" not in found
        assert "client_id_metadata_document_supported" not in found


async def test_all_open_permissions_are_answered_together_and_nothing_beyond_them(front: Front) -> None:
    """A client that asks for all of `scopes_supported`; and root addresses with and without a slash (field failure 13988)."""
    await front.person(role_names=("rol_reader",))
    server = "https://mcp.example.com"
    api = Api(
        "api_mcp",
        server,
        "Tools",
        (Permission("tools:a"), Permission("tools:b"), Permission("tools:admin")),
        made.NOW,
    )
    role = Role(
        "rol_tools", "tools", {server: ("tools:a", "tools:b", "tools:admin")}, made.NOW, key="rol_tools"
    )
    registry = front.store.registry
    await front.store.commit(
        registry.put_api(
            structs.replace(api, open_to="registration", open_permissions=("tools:a", "tools:b"))
        ),
        registry.put_role(role),
    )
    await front.services.config.refresh()
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    await front.change(ada, role_names=("rol_tools",))
    _, answer, _ = await register(front, scope="tools:a")
    client, tab = client_of(answer), front.browser()
    everything = "tools:a tools:b openid profile email offline_access roles groups"
    for resource in (server, server + "/"):
        page = await at_consent(front, client, tab, scope=everything, resource=resource)
        code = said(await tab.submit(page, "consent", decision="allow"))["code"]
        tokens = await front.redeem(client, code, resource=resource)
        assert (tokens["status"], tokens["scope"]) == (200, everything), tokens
    beyond = await tab.get(front.asking(client, scope="tools:admin", resource=server))
    assert said(beyond)["error"] == "invalid_scope"
    closed = await tab.get(front.asking(client, scope="orders:write", resource=made.API))
    assert said(closed)["error"] == "invalid_scope"
