"""Fixtures for third-party clients: an https server, with apps that use every authentication method."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc.jwk import ECKey

from doorward.adapters.os_user import os_actor
from doorward.core.model.client import Client
from doorward.features.admin import build as admin
from doorward.features.admin.apps import AppKind
from doorward.features.services import Services
from tests.flows.conftest import house
from tests.flows.running import Running, running
from tests.flows.seeds import API, CALLBACK, House, draft
from tests.waiting import until

__all__ = ["apps", "house", "server"]

AFTER = "https://shop.example.net/bye"


@dataclass(frozen=True)
class Registered:
    """A registered app with its credentials."""

    client: Client
    secret: str | None
    key: ECKey | None = None

    @property
    def task(self) -> dict[str, Any]:
        """The same values for the npm client."""
        task: dict[str, Any] = {
            "client_id": self.client.id,
            "auth_method": self.client.auth_method,
            "client_secret": self.secret,
            "redirect_uri": CALLBACK,
            "after": AFTER,
            "metadata": {},
        }
        if self.key is not None:
            task |= {"private_key": self.key.as_pem(private=True).decode(), "kid": self.key.kid}
        if self.client.userinfo_signed_alg is not None:
            task["metadata"]["userinfo_signed_response_alg"] = self.client.userinfo_signed_alg
        if self.client.id_token_signed_alg != "RS256":
            task["metadata"]["id_token_signed_response_alg"] = self.client.id_token_signed_alg
        return task


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """https on localhost, with the settings that the module names (`SECTIONS`)."""
    sections = getattr(request.module, "SECTIONS", None)
    with running(tmp_path_factory.mktemp("server"), https=True, sections=sections) as started:
        yield started
        assert started.troubles() == []


@pytest.fixture(scope="module")
def apps(server: Running, house: House) -> dict[str, Registered]:
    """Apps by authentication method; `signed` has RS256 tokens and signed userinfo, `service` acts for itself."""
    del house
    key = ECKey.generate_key("P-256", {"kid": "app-key", "alg": "ES256", "use": "sig"})
    public: dict[str, Any] = {"keys": [{**key.as_dict(private=False), "alg": "ES256"}]}
    wanted: list[tuple[str, AppKind, dict[str, Any]]] = [
        ("client_secret_basic", "web", {}),
        ("client_secret_post", "web", {"auth_method": "client_secret_post"}),
        ("private_key_jwt", "web", {"auth_method": "private_key_jwt", "jwks": public}),
        ("none", "spa", {}),
        ("signed", "web", {"access_token_signed_alg": "RS256", "userinfo_signed_alg": "ES256"}),
        ("ed25519", "web", {"id_token_signed_alg": "Ed25519", "access_token_signed_alg": "Ed25519"}),
        ("service", "service", {}),
    ]

    async def work(services: Services) -> dict[str, Registered]:
        found: dict[str, Registered] = {}
        for name, kind, changes in wanted:
            more = {} if kind == "service" else {"post_logout_redirect_uris": (AFTER,)}
            made = await services.get(admin.apps).create(
                os_actor(), draft(f"Peer {name}", kind, **more, **changes), kind=kind, access=[API]
            )
            secret = made.secret.reveal() if made.secret else None
            found[name] = Registered(made.client, secret, key if name == "private_key_jwt" else None)
        return found

    made = server.operate(work)
    # keys created on demand are not part of this change, so `operate` does not wait for them
    with server.http() as http:
        until(lambda: {"RS256", "Ed25519"} <= {key["alg"] for key in http.get("/jwks").json()["keys"]})
    return made
