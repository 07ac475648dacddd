"""A company with its own provider: its people are connected, its app has a credential, and its assertions (ID-JAG) are trusted."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey
from mcp.client import Client
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client

from doorward.adapters.os_user import os_actor
from doorward.core.model.account import EnrolledFactor
from doorward.core.model.digest import digest
from doorward.core.model.provider import ExternalIdentity
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.flows.running import Running
from tests.flows.seeds import draft
from tests.peers.mcp_client import Kept
from tests.peers.mcp_site import ADA, McpSite
from tests.waiting import PATIENCE

COMPANY = "https://login.company.example"
KEY = ECKey.generate_key("P-256", {"kid": "company", "alg": "ES256", "use": "sig"})


@dataclass(frozen=True)
class CompanyApp:
    """The company's app for one MCP server, with what the operator gave it."""

    issuer: str
    address: str
    client_id: str
    secret: str

    async def call(self, tool: str, **changes: Any) -> dict[str, Any]:
        """Call a tool for Ada, who is asked nothing. `changes` are claims of the assertion."""

        async def id_jag(audience: str, resource: str) -> str:
            return self._assertion({"aud": audience, "resource": resource, **changes})

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
    """Do what an operator does for a company."""

    async def work(services: Services) -> CompanyApp:
        made = await services.get(admin.apps).create(
            os_actor(),
            draft(
                "Company assistant", "service", auth_method="client_secret_post", grant_types=(JWT_BEARER,)
            ),
            kind="service",
            access=[site.address],
        )
        assert made.secret is not None
        trusted = TrustedIssuer(
            id="",
            name="Company",
            issuer=COMPANY,
            grant_id="",
            created_at=0,
            jwks={"keys": [{**KEY.as_dict(private=False), "alg": "ES256"}]},
            id_jag=True,
        )
        await services.get(admin.issuers).create(os_actor(), trusted)
        ada = await services.get(admin.people).get(os_actor(), ADA)
        row = EnrolledFactor("fac_ada", ada.id, "provider", services.clock.now(), code_hash=digest(COMPANY))
        identity = ExternalIdentity(
            factor_id=row.id, account_id=ada.id, issuer=COMPANY, subject="ada-at-work", email=ADA
        )
        assert await services.store.commit(
            services.store.accounts.add_factor(row), services.store.external_identities.insert(identity)
        )
        return CompanyApp(server.issuer, site.address, made.client.id, made.secret.reveal())

    return server.operate(work)
