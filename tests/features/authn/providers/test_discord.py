"""Sign-in with Discord, by its row of the table and by the settings of any service that speaks OAuth 2.0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.providers.build import identity_providers
from tests.features import made
from tests.features.authn.providers.at_service import at_service
from tests.stand_ins.discord import DiscordStandIn

pytestmark = pytest.mark.anyio
ADA: dict[str, Any] = {
    "id": "80351110224678912",
    "username": "ada",
    "global_name": "Ada L.",
    "email": "ada@example.com",
    "verified": True,
}
BY_HAND: dict[str, Any] = {
    "service": "oauth2",
    "label": "Discord",
    "scopes": ("identify", "email"),
    "name_member": "global_name",
    "email_verified_member": "verified",
}


@pytest.mark.requirement(89, 91)
@pytest.mark.parametrize(("name", "settings"), [("discord", {}), ("chat", BY_HAND)])
@pytest.mark.parametrize("auth", ["client_secret_basic", "client_secret_post"])
async def test_a_confirmed_address_creates_an_account_and_the_id_finds_it(
    tmp_path: Path, name: str, settings: dict[str, Any], auth: str
) -> None:
    async with at_service(DiscordStandIn, name, tmp_path, client_auth=auth, **settings) as there:
        assert (await there.sign_in(there.front.browser(), **ADA)).path == "/account"
        ada = await there.account("ada@example.com")
        assert ada is not None
        assert ada.name == "Ada L."
        again = {**ADA, "username": "lovelace", "email": "other@example.com"}
        assert (await there.sign_in(there.front.browser(), **again)).path == "/account"
        assert await there.account("other@example.com") is None
        assert there.service.refused == []


@pytest.mark.requirement(90, 92)
@pytest.mark.parametrize("verified", [False, None, "true"])
async def test_an_address_that_is_not_verified_creates_nothing(tmp_path: Path, verified: object) -> None:
    async with at_service(DiscordStandIn, "discord", tmp_path) as there:
        page = await there.sign_in(there.front.browser(), **{**ADA, "verified": verified})
        assert page.path.startswith("/sign-in/address?")
        assert await there.account("ada@example.com") is None


@pytest.mark.requirement(92)
async def test_a_sign_in_that_has_to_be_new_is_not_shown_by_it(tmp_path: Path) -> None:
    """It cannot say when somebody signed in, and a session there on a computer left unlocked must not count as new."""
    async with at_service(DiscordStandIn, "discord", tmp_path) as there:
        app = await there.front.register(made.public(access={}))
        page = await there.sign_in(
            there.front.browser(), there.front.asking(app, scope="openid", prompt="login"), **ADA
        )
        assert "sign in anew" in (page.problem or "")
        assert await there.account("ada@example.com") is None


@pytest.mark.requirement(63)
async def test_an_endpoint_in_the_own_network_is_called_only_where_the_settings_name_it(
    tmp_path: Path,
) -> None:
    """The host of an endpoint is the operator's word; the redirects of the service are nobody's."""
    async with at_service(DiscordStandIn, "discord", tmp_path) as there:
        there.service.statuses = {"/api/users/@me": 302}
        page = await there.sign_in(there.front.browser(), **ADA)
        assert "didn't work" in (page.problem or "")
        assert await there.reasons() == ["its document of the person: it answered 302"]


async def test_an_operator_is_told_whether_its_endpoints_answer(tmp_path: Path) -> None:
    async with at_service(DiscordStandIn, "discord", tmp_path, email_domains=()) as there:
        provider = there.front.services.get(identity_providers)["discord"]
        found = await provider.examine(there.front.now)
        assert (found.problem, found.issuer) == (None, there.service.origin)
        assert "trusted for no address" in found.warnings[0]
        there.service.statuses = {"/oauth2/authorize": 503}
        found = await provider.examine(there.front.now)
        assert "it answered 503" in (found.problem or "")
