"""Two Doorwards: a company's vouches for a person by an ID-JAG, another firm's gives the company's app a token for it."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.token_exchange import ExchangePolicy, IdJagTarget
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.oauth.grants.token_exchange.rules.request import ID_TOKEN
from doorward.features.oauth.metadata.rules import metadata
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.rules import id_jag
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.oauth.grants.jwt_bearer.bearing import claims_of, opened, registered
from tests.features.oauth.grants.token_exchange.parties import exchange, furnish, web
from tests.features.oauth.logout.back_channel import back_channel
from tests.features.oauth.token.exchange import refused

pytestmark = pytest.mark.anyio
COMPANY = "https://login.company.example"
AGENT = Client(
    id="", name="agent", auth_method="client_secret_basic", created_at=0, grant_types=(JWT_BEARER,)
)


async def test_one_server_vouches_and_the_other_gives_access() -> None:
    async with back_channel(issuer=COMPANY) as here, opened() as there:
        agent = await registered(there, AGENT, kind="service", access=["orders"])
        trusted = TrustedIssuer(
            id="",
            name="company",
            issuer=COMPANY,
            grant_id="",
            created_at=0,
            jwks=here.signer.jwks(),
            id_jag=True,
        )
        await there.admin.create(OPERATOR, trusted)
        role = there.services.config.current().roles["reader"]
        await there.person(COMPANY, "usr_ada", roles=(role.held_as,))

        await furnish(here)
        app = web(
            exchange=ExchangePolicy(
                id_jag={made.ISSUER: IdJagTarget(client_id=agent.id, scopes=("orders:read", "orders:write"))}
            )
        )
        await here.put(app)
        raw, _ = await here.family(session_id=None)
        signed_in = await here.refresh(raw, app)
        assert isinstance(signed_in, TokenResponse)

        async def vouched(token: str | None, **form: str) -> TokenResponse | OAuthError:
            return await exchange(
                here,
                token or "",
                app,
                requested_token_type=id_jag.TOKEN_TYPE,
                audience=made.ISSUER,
                resource=made.API,
                **form,
            )

        answer = await vouched(signed_in.id_token, subject_token_type=ID_TOKEN)
        assert isinstance(answer, TokenResponse), answer
        got = claims_of(await there.ask(answer.access_token, as_=agent))
        assert (got["sub"], got["client_id"], got["aud"]) == ("usr_ada", agent.id, made.API)
        # what the person may do there now
        assert got["scope"] == "orders:read"
        # once
        refused(await there.ask(answer.access_token, as_=agent), "invalid_grant")
        # by the refresh token as well, and never with what is no ID-JAG
        by_refresh = await vouched(signed_in.refresh_token)
        assert isinstance(by_refresh, TokenResponse), by_refresh
        assert claims_of(await there.ask(by_refresh.access_token, as_=agent))["sub"] == "usr_ada"
        for other in (signed_in.access_token, signed_in.id_token or ""):
            refused(await there.ask(other, as_=agent), "invalid_grant")


def test_the_metadata_says_that_id_jags_are_issued() -> None:
    """draft-ietf-oauth-identity-assertion-authz-grant, "Authorization Server (IdP) Metadata"."""
    plain = {"locales": (), "grant_types": (), "endpoints": {}, "client_auth": (), "levels": ()}
    said = metadata(made.ISSUER, **plain, chaining=[id_jag.TOKEN_TYPE])
    name = "identity_chaining_requested_token_types_supported"
    assert said[name] == ["urn:ietf:params:oauth:token-type:id-jag"]
    assert name not in metadata(made.ISSUER, **plain)
