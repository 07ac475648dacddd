"""Metadata and key set over HTTP: at the standard places, cacheable, without private parts."""

from __future__ import annotations

import pytest

from doorward.features.oauth.index import CLIENT_AUTH_METHODS, GRANT_TYPES
from doorward.features.oauth.metadata import routes as metadata
from doorward_verify.keyset import parse_jwks
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio
PLACES = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def routes(channel: BackChannel, issuer: str = made.ISSUER) -> list[metadata.Route]:
    return metadata.routes(
        issuer=issuer,
        locales=("en", "de"),
        grant_types=GRANT_TYPES,
        client_auth=CLIENT_AUTH_METHODS,
        levels=("urn:doorward:aal1",),
        signer=channel.signer,
    )


@pytest.mark.requirement(51)
async def test_both_well_known_addresses_serve_the_same_document_with_the_requested_issuer(
    channel: BackChannel,
) -> None:
    asgi = Asgi(routes(channel))
    one, two = [await asgi("GET", place) for place in PLACES]
    assert one.body == two.body
    assert one.json["issuer"] == made.ISSUER
    assert one.headers["content-type"] == "application/json"
    assert one.headers["access-control-allow-origin"] == "*"
    for name, value in one.json.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert value.startswith(f"{made.ISSUER}/"), name


async def test_an_issuer_with_a_path_is_found_at_both_forms(channel: BackChannel) -> None:
    issuer = "https://example.com/auth"
    asgi = Asgi(routes(channel, issuer), prefix="/auth")
    # in the order in which MCP clients look (MCP authorization 2026-07-28, § Authorization Server Metadata Discovery)
    for place in (
        "/.well-known/oauth-authorization-server/auth",
        "/.well-known/openid-configuration/auth",
        "/auth/.well-known/openid-configuration",
        "/auth/.well-known/oauth-authorization-server",
    ):
        assert (await asgi("GET", place)).json["issuer"] == issuer
    assert (await asgi("GET", "/.well-known/oauth-authorization-server")).status == 404


async def test_a_client_in_a_browser_may_read_metadata_and_keys(channel: BackChannel) -> None:
    """keycloak#43625: an inspector sends MCP-Protocol-Version, so that the browser asks for permission first."""
    asgi = Asgi(routes(channel))
    for place in (*PLACES, "/jwks"):
        asked = await asgi("OPTIONS", place)
        assert asked.status == 204
        assert asked.headers["access-control-allow-origin"] == "*"
        assert "GET" in asked.headers["access-control-allow-methods"]
        assert "mcp-protocol-version" in asked.headers["access-control-allow-headers"].split(", ")
        assert "access-control-allow-credentials" not in asked.headers


@pytest.mark.requirement(53)
async def test_the_key_set_has_only_usable_public_keys(channel: BackChannel) -> None:
    answer = await Asgi(routes(channel))("GET", "/jwks")
    keys = parse_jwks(made.ISSUER, answer.body)
    assert {key.alg for key in keys.keys} == {"ES256", "RS256", "Ed25519"}
    assert not keys.unusable
    for key in answer.json["keys"]:
        assert not key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


async def test_keys_and_metadata_are_cacheable_for_five_minutes_and_revalidated_cheaply(
    channel: BackChannel,
) -> None:
    asgi = Asgi(routes(channel))
    for place in (*PLACES, "/jwks"):
        answer = await asgi("GET", place)
        assert answer.headers["cache-control"] == "public, max-age=300"
        again = await asgi("GET", place, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        head = await asgi("HEAD", place)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(answer.body))


@pytest.mark.requirement(52)
async def test_a_new_key_is_published_at_once(channel: BackChannel) -> None:
    from doorward.adapters.keys.sealing import KeyedSealer
    from doorward.adapters.keys.signing import SealedKeyMaker

    asgi = Asgi(routes(channel))
    before = await asgi("GET", "/jwks")
    key = SealedKeyMaker(KeyedSealer(b"k" * 32)).make("key_next", "ES256", made.NOW)
    assert await channel.store.commit(channel.store.registry.insert_key(key))
    await channel.config.refresh()
    after = await asgi("GET", "/jwks")
    assert {key["kid"] for key in after.json["keys"]} - {key["kid"] for key in before.json["keys"]} == {
        "key_next"
    }
    assert after.headers["etag"] != before.headers["etag"]
