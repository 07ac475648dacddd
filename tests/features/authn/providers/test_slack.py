"""Sign-in with Slack, by its row of the table: errors with status 200, and the nonce in the place of PKCE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.features.authn.providers.named import clock, named_journey
from tests.stand_ins.openid import Returned
from tests.stand_ins.slack import SlackStandIn

pytestmark = pytest.mark.anyio
ADA: dict[str, Any] = {"sub": "U0R7MFMJM", "name": "Ada", "email": "ada@example.com"}


def slack() -> SlackStandIn:
    return SlackStandIn(clock=clock(), client_id="25259531569.1115", secret="s3cret")


@pytest.mark.requirement(89, 91)
async def test_a_confirmed_address_creates_an_account_and_the_member_finds_it(tmp_path: Path) -> None:
    async with named_journey(tmp_path, "slack", slack(), email_domains=("*",)) as there:
        asked = there.there.asked(await there.leave(there.front.browser()))
        assert "nonce" in asked
        assert "code_challenge" not in asked
        assert (await there.sign_in(there.front.browser(), **ADA)).path == "/account"
        ada = await there.account("ada@example.com")
        assert ada is not None
        assert ada.name == "Ada"
        again = {**ADA, "email": "lovelace@example.com"}
        assert (await there.sign_in(there.front.browser(), **again)).path == "/account"
        assert await there.account("lovelace@example.com") is None
        assert there.there.refused == []


@pytest.mark.requirement(91)
async def test_a_code_of_another_browser_is_refused_by_its_nonce(tmp_path: Path) -> None:
    async with named_journey(tmp_path, "slack", slack(), email_domains=("*",)) as there:
        mine, theirs = there.front.browser(), there.front.browser()
        own = there.there.approved(await there.leave(mine), **ADA)
        other = there.there.approved(await there.leave(theirs), **{**ADA, "sub": "U0MALLORY"})
        planted = Returned("GET", own.url, {**own.fields, "code": other.fields["code"]})
        page = await there.arrive(mine, planted)
        assert "didn't work" in (page.problem or "")
        assert await there.reasons() == ["ID token: nonce is another one"]
        assert await there.account("ada@example.com") is None


async def test_an_error_with_status_200_is_one(tmp_path: Path) -> None:
    async with named_journey(tmp_path, "slack", slack(), email_domains=("*",)) as there:
        tab = there.front.browser()
        back = there.there.approved(await there.leave(tab), **ADA)
        page = await there.arrive(tab, Returned("GET", back.url, {**back.fields, "code": "guessed"}))
        assert "didn't work" in (page.problem or "")
        assert await there.reasons() == ["the token endpoint refused the code: invalid_code"]
        # a wrong secret, as after it was made anew there
        there.there.secret = "another"
        back = there.there.approved(await there.leave(tab), **ADA)
        await there.arrive(tab, back)
        assert (await there.reasons())[0] == "the token endpoint refused the code: bad_client_secret"
        page = await there.arrive(tab, there.there.failed(await there.leave(tab), "access_denied"))
        assert "didn't finish" in (page.problem or "")


@pytest.mark.requirement(90, 92)
@pytest.mark.parametrize("verified", [False, None, "no"])
async def test_an_address_that_is_not_confirmed_there_creates_nothing(
    tmp_path: Path, verified: object
) -> None:
    async with named_journey(tmp_path, "slack", slack(), email_domains=("*",)) as there:
        page = await there.sign_in(there.front.browser(), **{**ADA, "email_verified": verified})
        assert page.path.startswith("/sign-in/address?")
        assert await there.account("ada@example.com") is None
