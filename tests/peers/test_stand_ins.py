"""Proof of the stand-ins: clients that nobody here wrote, and that work with the real services, sign in to them unchanged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import jwt
import pytest
from social_core.backends.apple import AppleIdAuth
from social_core.backends.azuread_tenant import AzureADV2TenantOAuth2
from social_core.backends.google_openidconnect import GoogleOpenIdConnect
from social_core.exceptions import AuthException, SocialAuthBaseException

from tests.stand_ins.apple import KEY_ID, TEAM, AppleStandIn, p8
from tests.stand_ins.entra import CONTOSO, FABRIKAM, EntraStandIn
from tests.stand_ins.google import GoogleStandIn
from tests.stand_ins.openid import OpenIdStandIn, RefusedAtTheService
from tests.stand_ins.serving import served
from tests.stand_ins.social import Site, begin, complete, led_to

pytestmark = [pytest.mark.peer, pytest.mark.anyio]
BACK = "https://site.example/complete/"


@dataclass
class Now:
    """The real time, since the client asks for it."""

    @property
    def time(self) -> int:
        return int(time.time())


@pytest.mark.parametrize("legacy", [True, False])
async def test_googles_stand_in_takes_the_client_of_social_auth(tmp_path: Path, legacy: bool) -> None:
    google = GoogleStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,), legacy_iss=legacy)
    site = Site(KEY="c", SECRET="s", REDIRECT=BACK, USE_PKCE=True, USE_UNIQUE_USER_ID=True)
    hosts = (
        "accounts.google.com",
        "oauth2.googleapis.com",
        "openidconnect.googleapis.com",
        "www.googleapis.com",
    )
    async with served(google, tmp_path, hosts=hosts) as ca_file:
        person = {"sub": "110169484474386276334", "email": "ada@gmail.com", "name": "Ada"}
        back = await started(google, ca_file, GoogleOpenIdConnect, site, person)
        if legacy:
            response, details = await ended(google, ca_file, GoogleOpenIdConnect, site, back)
            assert (response["sub"], details["email"]) == (person["sub"], "ada@gmail.com")
        else:
            # this client knows the older name of the issuer alone
            with pytest.raises(AuthException) as refused:
                await ended(google, ca_file, GoogleOpenIdConnect, site, back)
            assert isinstance(refused.value.__cause__, jwt.InvalidIssuerError)
    assert google.refused == []


async def test_apples_stand_in_takes_the_client_of_social_auth(tmp_path: Path) -> None:
    pem, key = p8()
    apple = AppleStandIn(
        clock=Now(), client_id="com.example.web", secret="", redirect_uris=(BACK,), client_key=key
    )
    site = Site(
        CLIENT="com.example.web", TEAM=TEAM, KEY=KEY_ID, SECRET=pem, REDIRECT=BACK, SCOPE=["name", "email"]
    )
    async with served(apple, tmp_path, hosts=("appleid.apple.com",)) as ca_file:
        person = {"sub": "000792.ada.0638", "email": "ada@privaterelay.appleid.com", "name": "Ada Lovelace"}
        back = await started(apple, ca_file, AppleIdAuth, site, person)
        assert (back.method, "user" in back.fields) == ("POST", True)
        response, details = await ended(apple, ca_file, AppleIdAuth, site, back)
        assert (response["sub"], response["email_verified"]) == (person["sub"], "true")
        assert (details["first_name"], details["last_name"]) == ("Ada", "Lovelace")
        (secret,) = apple.secrets
        assert secret["iss"] == TEAM
        # the name comes once
        back = await started(apple, ca_file, AppleIdAuth, site, person)
        assert "user" not in back.fields
        # another key is not the developer's
        site.settings["SECRET"] = p8()[0]
        with pytest.raises(SocialAuthBaseException):
            await ended(apple, ca_file, AppleIdAuth, site, back)
    assert apple.refused == ["invalid_client"]


@pytest.mark.parametrize("home", [CONTOSO, "organizations"])
async def test_entras_stand_in_takes_the_client_of_social_auth(tmp_path: Path, home: str) -> None:
    entra = EntraStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,), home=home)
    site = Site(KEY="c", SECRET="s", REDIRECT=BACK, TENANT_ID=home, USE_PKCE=True)
    async with served(entra, tmp_path, hosts=("login.microsoftonline.com",)) as ca_file:
        person = {"oid": "o-1", "tid": CONTOSO, "upn": "ada@contoso.com", "name": "Ada"}
        back = await started(entra, ca_file, AzureADV2TenantOAuth2, site, person)
        response, details = await ended(entra, ca_file, AzureADV2TenantOAuth2, site, back)
        assert (response["tid"], response["oid"]) == (CONTOSO, "o-1")
        assert details["email"] == "ada@contoso.com"
        stranger = {**person, "tid": FABRIKAM, "upn": "ada@fabrikam.com"}
        if home == CONTOSO:
            with pytest.raises(RefusedAtTheService, match="AADSTS50020"):
                await started(entra, ca_file, AzureADV2TenantOAuth2, site, stranger)
            return
        back = await started(entra, ca_file, AzureADV2TenantOAuth2, site, stranger)
        response, _ = await ended(entra, ca_file, AzureADV2TenantOAuth2, site, back)
        assert response["iss"] == f"https://login.microsoftonline.com/{FABRIKAM}/v2.0"


async def started(
    service: OpenIdStandIn, ca_file: str | None, backend: Any, site: Site, person: dict[str, Any]
) -> Any:
    """The answer to the client's request."""
    assert ca_file is not None
    with led_to(service, ca_file):
        url = await anyio.to_thread.run_sync(begin, backend, site)
        return service.approved(url, **person)


async def ended(service: OpenIdStandIn, ca_file: str | None, backend: Any, site: Site, back: Any) -> Any:
    """What the client makes of it, with requests of its own."""
    assert ca_file is not None
    with led_to(service, ca_file):
        return await anyio.to_thread.run_sync(complete, backend, site, back)
