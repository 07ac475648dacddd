"""Sign-in with GitLab, by its row of the table: gitlab.com, or a server of one's own, whose groups give roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from tests.features.authn.providers.named import clock, named_journey
from tests.stand_ins.gitlab import GitLabStandIn
from tests.stand_ins.openid import Returned

pytestmark = pytest.mark.anyio
OCTAVIA: dict[str, Any] = {
    "id": 41,
    "username": "octavia",
    "name": "Octavia",
    "email": "octavia@example.com",
    "groups": ["engines", "engines/difference"],
}


def gitlab() -> GitLabStandIn:
    return GitLabStandIn(clock=clock(), client_id="doorward", secret="s3cret + with % signs")


@pytest.mark.requirement(89, 91)
@pytest.mark.parametrize("auth", ["client_secret_basic", "client_secret_post"])
async def test_a_confirmed_address_creates_an_account_and_the_number_finds_it(
    tmp_path: Path, auth: str
) -> None:
    async with named_journey(tmp_path, "gitlab", gitlab(), email_domains=("*",), client_auth=auth) as there:
        asked = there.there.asked(await there.leave(there.front.browser()))
        assert {"state", "nonce", "code_challenge"} <= asked.keys()
        assert (await there.sign_in(there.front.browser(), **OCTAVIA)).path == "/account"
        octavia = await there.account("octavia@example.com")
        assert octavia is not None
        assert octavia.name == "Octavia"
        # names and addresses change hands there; the number does not
        renamed = {**OCTAVIA, "username": "mallory", "email": "new@example.com"}
        assert (await there.sign_in(there.front.browser(), **renamed)).path == "/account"
        assert await there.account("new@example.com") is None
        assert there.there.refused == []


@pytest.mark.requirement(90, 92)
async def test_an_address_that_is_not_confirmed_there_creates_nothing(tmp_path: Path) -> None:
    async with named_journey(tmp_path, "gitlab", gitlab(), email_domains=("*",)) as there:
        page = await there.sign_in(there.front.browser(), **{**OCTAVIA, "confirmed": False})
        assert page.path.startswith("/sign-in/address?")
        assert await there.account("octavia@example.com") is None


async def test_its_words_for_cancel_and_for_an_error_are_understood(tmp_path: Path) -> None:
    service = gitlab()
    async with named_journey(tmp_path, "gitlab", service, email_domains=("*",)) as there:
        tab = there.front.browser()
        page = await there.arrive(tab, service.cancelled(await there.leave(tab)))
        assert "didn't finish" in (page.problem or "")
        assert await there.reasons() == []
        back = there.there.approved(await there.leave(tab), **OCTAVIA)
        page = await there.arrive(tab, Returned("GET", back.url, {**back.fields, "code": "another"}))
        assert "didn't work" in (page.problem or "")
        assert await there.reasons() == ["the token endpoint refused the code: invalid_grant"]


@pytest.mark.requirement(92)
async def test_groups_that_only_userinfo_has_give_the_roles_of_the_mapping(tmp_path: Path) -> None:
    section: dict[str, Any] = {
        "email_domains": ("*",),
        "roles_claim": "groups",
        "roles": ("engines/difference -> clerk",),
    }
    async with named_journey(tmp_path, "gitlab", gitlab(), **section) as there:
        await there.front.services.get(admin.roles).create(os_actor(), "clerk", permissions=())
        await there.front.services.config.refresh()
        assert (await there.sign_in(there.front.browser(), **OCTAVIA)).path == "/account"
        octavia = await there.account("octavia@example.com")
        assert octavia is not None
        assert {one.name for one in there.front.services.config.current().held(octavia)} == {"clerk"}
        assert "/oauth/userinfo" in there.there.calls
