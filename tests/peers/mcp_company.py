"""A company with its own provider: its people are connected, its app has a credential, and its assertions (ID-JAG) are trusted.

The provider is a key of the tests, or a second Doorward, at which Ada signs in and whose token endpoint issues the assertion.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey
from mcp.client import Client
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from msgspec import structs

from doorward.adapters.os_user import os_actor
from doorward.core.model.account import EnrolledFactor
from doorward.core.model.digest import digest
from doorward.core.model.provider import ExternalIdentity
from doorward.core.model.secret import Secret
from doorward.core.model.token_exchange import ExchangePolicy, IdJagTarget
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build as admin
from doorward.features.oauth.tokens.rules import id_jag
from doorward.features.services import Services
from tests.flows.apps import App
from tests.flows.running import Running
from tests.flows.seeds import PASSWORD, draft
from tests.peers.mcp_client import Kept
from tests.peers.mcp_site import ADA, McpSite
from tests.waiting import PATIENCE

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
COMPANY = "https://login.company.example"
KEY = ECKey.generate_key("P-256", {"kid": "company", "alg": "ES256", "use": "sig"})


Assertion = Callable[[str, str], str]
"""From the issuer and the MCP server's address to an ID-JAG."""


@dataclass(frozen=True)
class CompanyApp:
    """The company's app for one MCP server, with what the operator gave it."""

    issuer: str
    address: str
    client_id: str
    secret: str

    async def call(self, tool: str, **changes: Any) -> dict[str, Any]:
        """Call a tool for Ada, who is asked nothing. `changes` are claims of the assertion."""
        return await self.call_with(
            lambda audience, resource: self._assertion({"aud": audience, "resource": resource, **changes}),
            tool,
        )

    async def call_with(self, assertion: Assertion, tool: str) -> dict[str, Any]:
        """Call a tool with assertions of this provider."""

        async def id_jag(audience: str, resource: str) -> str:
            return await anyio.to_thread.run_sync(assertion, audience, resource)

        auth = IdentityAssertionOAuthProvider(
            self.address,
            Kept(),
            client_id=self.client_id,
            client_secret=self.secret,
            issuer=self.issuer,
            assertion_provider=id_jag,
            scope="orders:read",
        )
        async with (
            httpx2.AsyncClient(auth=auth, trust_env=False, timeout=PATIENCE) as http,
            Client(streamable_http_client(self.address, http_client=http)) as client,
        ):
            answer = await client.call_tool(tool, {})
            assert answer.structured_content is not None
            return answer.structured_content

    def _assertion(self, changes: dict[str, Any]) -> str:
        """What the company's provider answers to the exchange of Ada's ID token."""
        now = int(time.time())
        claims = {
            "iss": COMPANY,
            "sub": "ada-at-work",
            "client_id": self.client_id,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 300,
            "scope": "orders:read orders:write",
            **changes,
        }
        return jwt.encode({"alg": "ES256", "kid": "company", "typ": "oauth-id-jag+jwt"}, claims, KEY)


def company_app(server: Running, site: McpSite) -> CompanyApp:
    """Do what an operator does for a company whose provider is `COMPANY`."""
    keys: dict[str, Any] = {"keys": [{**KEY.as_dict(private=False), "alg": "ES256"}]}
    return server.operate(lambda services: _trust(services, server, site, COMPANY, "ada-at-work", keys))


def doorward_company(provider: Running, server: Running, site: McpSite) -> tuple[CompanyApp, Assertion]:
    """The same for a company whose provider is a Doorward, with an app that may act for its people at `server`."""
    ada = provider.operate(_hire)
    here = server.operate(lambda services: _trust(services, server, site, provider.issuer, ada))
    there = IdJagTarget(client_id=here.client_id, scopes=("orders:read", "orders:write"))

    async def work(services: Services) -> App:
        desk = draft("Desk", "web", exchange=ExchangePolicy(id_jag={server.issuer: there}))
        desk = structs.replace(desk, grant_types=(*desk.grant_types, TOKEN_EXCHANGE))
        made = await services.get(admin.apps).create(os_actor(), desk, kind="web")
        assert made.secret is not None
        return App(provider.issuer, made.client.id, made.secret.reveal(), made.client.redirect_uris[0])

    desk = provider.operate(work)

    def assertion(audience: str, resource: str) -> str:
        """Ada signs in to the company's app, which exchanges her ID token."""
        person, attempt = provider.person(), desk.begin("openid")
        page = person.sign_in(person.open(attempt.url), ADA, PASSWORD)
        if "consent" in page.forms:
            page = person.press(page, "consent", "allow")
        id_token = desk.redeem(attempt, page).body["id_token"]
        asked = {
            "grant_type": TOKEN_EXCHANGE,
            "requested_token_type": id_jag.TOKEN_TYPE,
            "audience": audience,
            "resource": resource,
            "subject_token": id_token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        }
        with provider.http() as http:
            answer = http.post("/token", data=asked, auth=(desk.client_id, desk.secret or ""))
        assert answer.status_code == 200, answer.text
        assert answer.json()["token_type"] == "N_A"
        return answer.json()["access_token"]

    return here, assertion


async def _hire(services: Services) -> str:
    made = await services.get(admin.people).create(os_actor(), ADA, name="Ada", password=Secret(PASSWORD))
    return made.id


async def _trust(
    services: Services,
    server: Running,
    site: McpSite,
    issuer: str,
    subject: str,
    keys: dict[str, Any] | None = None,
) -> CompanyApp:
    made = await services.get(admin.apps).create(
        os_actor(),
        draft(f"App of {issuer}", "service", auth_method="client_secret_post", grant_types=(JWT_BEARER,)),
        kind="service",
        access=[site.address],
    )
    assert made.secret is not None
    await services.get(admin.issuers).create(
        os_actor(),
        TrustedIssuer(id="", name=issuer, issuer=issuer, grant_id="", created_at=0, jwks=keys, id_jag=True),
    )
    ada = await services.get(admin.people).get(os_actor(), ADA)
    number = services.random.new_id("fac")
    row = EnrolledFactor(number, ada.id, "provider", services.clock.now(), code_hash=digest(issuer))
    identity = ExternalIdentity(
        factor_id=row.id, account_id=ada.id, issuer=issuer, subject=subject, email=ADA
    )
    assert await services.store.commit(
        services.store.accounts.add_factor(row), services.store.external_identities.insert(identity)
    )
    return CompanyApp(server.issuer, site.address, made.client.id, made.secret.reveal())
