"""API keys at an API: exchanged once, remembered while the feed allows it, and refused within a second of their end."""

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from doorward.features.api_keys.rules import key_format
from doorward.features.oauth.grants.api_key.build import NAME
from doorward_verify import ApiKeys, AuthError, ResourceServer, api_keys
from doorward_verify.api_keys import GRANT_TYPE, MOST_AT_ONCE, PREFIX, in_address, well_formed
from doorward_verify.cookie import RequestCredentials, cookie_names
from doorward_verify.fastapi import FastAPIResourceServer
from doorward_verify.starlette import StarletteResourceServer
from doorward_verify.testing import TokenMint
from tests.verify.issuer import AUDIENCE, Issuer, reason, running
from tests.waiting import PATIENCE, until

KEY = key_format.write("key_" + "01992f3c" * 4, b"k" * 32)
OTHER = key_format.write("key_" + "01992f3d" * 4, b"k" * 32)


class Keys:
    """The token endpoint of an issuer: which keys work, and what was asked."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.good: dict[str, str] = {KEY: "key_one"}
        self.forms: list[dict[str, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.status = 400
        issuer.on_token = self.answer

    def answer(self, form: dict[str, list[str]]) -> tuple[int, bytes]:
        asked = {name: values[0] for name, values in form.items()}
        self.forms.append(asked)
        self.gate.wait(PATIENCE)
        prefix = self.good.get(asked["api_key"])
        if prefix is None:
            return self.status, b'{"error":"invalid_grant"}'
        claims: dict[str, Any] = dict.fromkeys(("auth_time", "acr", "amr", "sid"))
        token = self.issuer.token(jti=f"{prefix}.{len(self.forms)}", client_id="key_1", **claims)
        return 200, msgspec.json.encode({"access_token": token, "expires_in": 300, "token_type": "Bearer"})


@pytest.fixture
def issuer() -> Generator[Issuer]:
    with running() as one:
        yield one


@pytest.fixture
def keys(issuer: Issuer) -> Keys:
    return Keys(issuer)


@pytest.fixture
def auth(issuer: Issuer, keys: Keys) -> Generator[ResourceServer]:
    assert keys.forms == []
    with ResourceServer(issuer.url, AUDIENCE, api_keys=ApiKeys()) as server:
        yield server


def test_the_names_are_those_of_the_server() -> None:
    assert (GRANT_TYPE, PREFIX) == (NAME, key_format.PREFIX)
    assert well_formed(KEY)
    for text in (
        KEY[:-1],
        f"{KEY}0",
        KEY.replace("k", "j", 1),
        KEY[:-1] + ("0" if KEY[-1] != "0" else "1"),
        "dwk_",
    ):
        assert not well_formed(text)


def test_a_key_is_exchanged_once_and_its_token_remembered(auth: ResourceServer, keys: Keys) -> None:
    principal = auth.verify(KEY)
    assert (principal.sub, principal.grant, principal.auth_time) == ("usr_1", "key_one", None)
    for _ in range(20):
        assert auth.verify(KEY).jti == principal.jti
    assert keys.forms == [{"grant_type": GRANT_TYPE, "api_key": KEY, "resource": AUDIENCE}]
    assert auth.verify(keys.issuer.token()).sub == "usr_1", "tokens are accepted as before"


def test_a_key_is_exchanged_once_for_all_who_wait(auth: ResourceServer, keys: Keys) -> None:
    keys.gate.clear()
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(auth.verify, KEY) for _ in range(12)]
        until(lambda: len(keys.forms) == 1)
        keys.gate.set()
        assert len({one.result(PATIENCE).jti for one in asked}) == 1
    assert len(keys.forms) == 1


def test_an_ended_key_is_refused_within_a_second_and_one_that_allows_less_gets_its_new_token(
    auth: ResourceServer, keys: Keys, issuer: Issuer
) -> None:
    """No cache outlives the end of a key: the remembered token is checked against the feed at every use."""
    assert auth.verify(KEY).grant == "key_one"
    keys.good[KEY] = "key_one-2"
    issuer.revoke("grant", "key_one")
    until(lambda: auth.verify(KEY).grant == "key_one-2")
    del keys.good[KEY]
    issuer.revoke("grant", "key_one-2")
    until(lambda: reason(auth, KEY) == "api_key")


def test_a_refused_key_is_not_asked_about_at_every_request(auth: ResourceServer, keys: Keys) -> None:
    for _ in range(20):
        assert reason(auth, OTHER) == "api_key"
    assert len(keys.forms) == 1
    for number in range(20):
        assert reason(auth, f"dwk_{number:032x}_{'A' * 49}") == "api_key"
    assert len(keys.forms) == 1, "a wrong checksum costs no request"


def test_a_key_works_again_a_moment_after_the_issuer_takes_it(issuer: Issuer, keys: Keys) -> None:
    at = [time.time()]
    with ResourceServer(issuer.url, AUDIENCE, api_keys=ApiKeys(), clock=lambda: at[0], leeway=60) as server:
        assert reason(server, OTHER) == "api_key"
        keys.good[OTHER] = "key_two"
        assert reason(server, OTHER) == "api_key"
        at[0] += api_keys.REFUSED_FOR
        assert reason(server, OTHER) == "good"


def test_an_outage_is_no_fault_of_the_caller(auth: ResourceServer, keys: Keys, issuer: Issuer) -> None:
    for status in (401, 500, 503):
        keys.status = status
        with pytest.raises(AuthError) as refused:
            auth.verify(OTHER)
        assert refused.value.reason == "api_keys_unavailable"
        assert auth.challenge(refused.value).status == 503
    assert auth.verify(KEY).grant == "key_one"
    issuer.on_token = None
    assert reason(auth, OTHER) == "api_keys_unavailable"
    assert auth.verify(KEY).grant == "key_one", "what is known goes on"


def test_invented_keys_fill_neither_memory_nor_threads(issuer: Issuer, keys: Keys) -> None:
    names = [key_format.write(f"key_{number:032x}", b"k" * 32) for number in range(MOST_AT_ONCE + 20)]
    with ResourceServer(issuer.url, AUDIENCE, api_keys=ApiKeys(size=2), wait=PATIENCE) as server:
        assert reason(server, KEY) == "good"
        keys.gate.clear()
        with ThreadPoolExecutor(len(names)) as pool:
            asked = [pool.submit(reason, server, name) for name in names]
            until(lambda: sum(one.done() for one in asked) >= 20)
            assert {one.result() for one in asked if one.done()} == {"api_keys_unavailable"}
            keys.gate.set()
            assert {one.result(PATIENCE) for one in asked} == {"api_keys_unavailable", "api_key"}
        assert len(keys.forms) == 1 + MOST_AT_ONCE
        for name in names:
            keys.good[name] = "key_x"
        exchange = server._keys
        assert exchange is not None
        for name in names[MOST_AT_ONCE:]:
            assert reason(server, name) == "good"
        assert len(exchange._tokens) == 2
        kept = repr(vars(exchange))
        assert not any(name in kept for name in (KEY, *names)), "no key stays in memory"


def test_an_api_with_its_own_credential_says_where_its_callers_are(issuer: Issuer, keys: Keys) -> None:
    own = ApiKeys(client_id="app_api", client_secret="s3cret")
    assert "s3cret" not in repr(own)
    with ResourceServer(issuer.url, AUDIENCE, api_keys=own) as server:
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
            assert server.verify(KEY, address=address).sub == "usr_1"
    assert [form["caller_address"] for form in keys.forms] == ["192.0.2.1", "192.0.2.2"]
    assert keys.forms[0]["client_id"] == "app_api"


@pytest.mark.parametrize("wrong", [{"client_id": "x"}, {"client_secret": "x"}, {"size": 0}])
def test_wrong_settings_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ApiKeys"):
        ResourceServer("https://a.example", AUDIENCE, api_keys=ApiKeys(**wrong))
    with pytest.raises(ValueError, match="revocation"):
        ResourceServer("https://a.example", AUDIENCE, api_keys=ApiKeys(), revocation="off")


def test_without_the_setting_a_key_is_no_token(issuer: Issuer, keys: Keys) -> None:
    with ResourceServer(issuer.url, AUDIENCE) as server:
        assert reason(server, KEY) == "malformed"
    assert keys.forms == []


def test_a_key_in_an_address_or_a_cookie_is_refused(auth: ResourceServer) -> None:
    """Addresses are logged by proxies, kept in histories and sent as referrers."""
    assert in_address("a=1&key=%64wk_0")
    for query in (f"api_key={KEY}", f"access_token={KEY}", f"x={KEY.replace('d', '%64', 1)}"):
        asked = RequestCredentials("GET", AUDIENCE, authorization=(f"Bearer {KEY}",), query=query)
        with pytest.raises(AuthError) as refused:
            auth.token_of(asked)
        assert refused.value.reason == "bad_request"
        assert KEY not in str(refused.value)
    assert (
        auth.token_of(RequestCredentials("GET", AUDIENCE, authorization=(f"Bearer {KEY}",), query="a=1"))
        == KEY
    )
    with ResourceServer(auth.issuer, AUDIENCE, api_keys=ApiKeys(), cookie=True) as server:
        names = api_keys_cookie(server)
        with pytest.raises(AuthError, match="header only"):
            server.token_of(RequestCredentials("GET", AUDIENCE, cookies=(f"{names}={KEY}",)))


def api_keys_cookie(server: ResourceServer) -> str:
    return cookie_names(server.issuer)[0]


@pytest.mark.parametrize("kind", [StarletteResourceServer, FastAPIResourceServer])
def test_starlette_and_fastapi_take_keys(
    issuer: Issuer, keys: Keys, kind: Callable[..., StarletteResourceServer]
) -> None:
    auth = kind(issuer.url, AUDIENCE, api_keys=ApiKeys(client_id="app_api", client_secret="x"))

    @auth.requires(scopes=["orders:read"])
    async def orders(request: Request) -> Response:
        return JSONResponse({"sub": request.state.principal.sub})

    app = Starlette(routes=[Route("/orders", orders)], lifespan=auth.lifespan)
    with TestClient(app, base_url=AUDIENCE, client=("192.0.2.7", 1)) as client:
        good = {"Authorization": f"Bearer {KEY}"}
        assert client.get("/orders", headers=good).json() == {"sub": "usr_1"}
        assert keys.forms[0]["caller_address"] == "192.0.2.7"
        refused = client.get("/orders", headers={"Authorization": f"Bearer {OTHER}"})
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
        leaked = client.get(f"/orders?key={KEY}", headers=good)
        assert leaked.status_code == 400


def test_keys_are_minted_for_the_tests_of_an_api(doorward_tokens: Callable[..., TokenMint]) -> None:
    auth = ResourceServer("https://auth.example.com", AUDIENCE, api_keys=ApiKeys())
    tokens = doorward_tokens(auth)
    key = tokens.api_key(scopes=["orders:read"])
    principal = auth.verify(key)
    assert (principal.scopes, principal.acr, principal.client_id) == (
        frozenset({"orders:read"}),
        None,
        "key_test",
    )
    assert reason(auth, KEY) == "api_key"
    tokens.revoke(grant="key_test")
    assert reason(auth, key) == "revoked"


@pytest.mark.anyio
async def test_event_loops_wait_for_an_exchange_without_blocking(auth: ResourceServer, keys: Keys) -> None:
    keys.gate.clear()
    asked = [asyncio.ensure_future(auth.verify_async(KEY)) for _ in range(5)]
    while not keys.forms:
        await asyncio.sleep(0.01)
    keys.gate.set()
    assert len({(await one).jti for one in asked}) == 1
    del keys.good[KEY]
    with pytest.raises(AuthError):
        await auth.verify_async(OTHER)
    assert len(keys.forms) == 2
