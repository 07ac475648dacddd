"""Server and verifier together: tokens, keys and feed are understood as the server means them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from doorward.features.oauth.index import CLIENT_AUTH_METHODS, GRANT_TYPES
from doorward.features.oauth.metadata import routes as metadata
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.revocations import routes as feed
from doorward_verify.auth_error import AuthError
from doorward_verify.claims import AccessRules, Verified
from doorward_verify.keyset import parse_jwks
from doorward_verify.principal import Principal
from doorward_verify.revocation import RevocationView, parse_feed
from doorward_verify.verifier import Verifier
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, back_channel
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio
ALGORITHMS = frozenset({"ES256", "RS256", "Ed25519"})


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as made_channel:
        await made_channel.person()
        yield made_channel


@pytest.fixture
def asgi(channel: BackChannel) -> Asgi:
    return Asgi(
        [
            *feed.routes(channel.feed),
            *metadata.routes(
                issuer=made.ISSUER,
                locales=("en",),
                grant_types=GRANT_TYPES,
                client_auth=CLIENT_AUTH_METHODS,
                levels=("urn:doorward:aal1",),
                signer=channel.signer,
            ),
        ]
    )


async def verifier(asgi: Asgi, audience: str = made.API) -> Verifier:
    keys = parse_jwks(made.ISSUER, (await asgi("GET", "/jwks")).body)
    return Verifier(AccessRules(made.ISSUER, audience, ALGORITHMS, 0), keys)


async def principal(channel: BackChannel, asgi: Asgi) -> Principal:
    raw, _ = await channel.family()
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    found = (await verifier(asgi)).verify(answer.access_token, channel.clock.time)
    assert isinstance(found, Verified)
    return found.principal


@pytest.mark.requirement(39, 67)
@pytest.mark.parametrize("alg", ["ES256", "RS256", "Ed25519"])
async def test_the_verifier_accepts_our_access_tokens_and_no_other_tokens(
    channel: BackChannel, asgi: Asgi, alg: str
) -> None:
    await channel.put(made.client(id_token_signed_alg=alg, access_token_signed_alg=alg))
    raw, _ = await channel.family()
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    found = (await verifier(asgi)).verify(answer.access_token, channel.clock.time)
    assert isinstance(found, Verified)
    assert found.principal.sub == "usr_ada"
    assert found.principal.scopes == {"openid", "email", "orders:read"}
    assert found.principal.sid == "ses_one"
    foreign = (await verifier(asgi, "https://other.example.com")).verify(answer.access_token, made.NOW)
    assert isinstance(foreign, AuthError)
    assert foreign.reason == "audience"
    as_access = (await verifier(asgi, "app_web")).verify(answer.id_token or "", made.NOW)
    assert isinstance(as_access, AuthError)
    assert as_access.reason == "type"


@pytest.mark.requirement(58)
@pytest.mark.parametrize("what", ["grant", "session", "account", "client"])
async def test_the_feed_reaches_the_verifiers_view(channel: BackChannel, asgi: Asgi, what: str) -> None:
    ada = await channel.store.accounts.get("usr_ada")
    assert ada is not None
    session = await channel.session(ada)
    who = await principal(channel, asgi)
    view = RevocationView()
    view.apply(parse_feed((await asgi("GET", "/revocations")).body), channel.clock.time)
    assert not view.revokes(who)
    now = channel.clock.time
    if what == "grant":
        grant = await channel.store.grants.get(who.jti.partition(".")[0])
        assert grant is not None
        writes = channel.revoker.grant(grant, now=now, reason="revoked")
    elif what == "session":
        writes = await channel.revoker.session(session, now=now, reason="signed_out")
    elif what == "account":
        writes = await channel.revoker.account("usr_ada", now=now, reason="account_disabled", sub_entry=True)
    else:
        writes = channel.revoker.client("app_web", now=now, reason="app_deleted")
    assert await channel.store.commit(*writes)
    told = parse_feed((await asgi("GET", "/revocations", query=f"after={view.cursor}")).body)
    assert not told.reset
    assert not told.unknown_kinds
    view.apply(told, now)
    assert view.revokes(who)
