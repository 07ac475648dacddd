"""Sign-in with LinkedIn, by its row of the table: neither nonce nor PKCE, and words of its own for Cancel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.features.authn.providers.named import clock, named_journey
from tests.stand_ins.linkedin import LinkedInStandIn

pytestmark = pytest.mark.anyio
BOB: dict[str, Any] = {"sub": "782bbtaQ", "name": "Bob", "email": "bob@example.net"}


def linkedin(**how: Any) -> LinkedInStandIn:
    return LinkedInStandIn(clock=clock(), client_id="doorward", secret="s3cret + with % signs", **how)


@pytest.mark.requirement(91)
async def test_a_sign_in_has_neither_nonce_nor_challenge_and_its_state_is_the_browsers(
    tmp_path: Path,
) -> None:
    async with named_journey(tmp_path, "linkedin", linkedin(), email_domains=("*",)) as there:
        tab, victim = there.front.browser(), there.front.browser()
        url = await there.leave(tab)
        assert {"nonce", "code_challenge", "code_challenge_method"}.isdisjoint(there.there.asked(url))
        back = there.there.approved(url, **BOB)
        await victim.get("/sign-in")
        page = await there.arrive(victim, back)
        assert "took too long" in (page.problem or "")
        assert (await there.arrive(tab, back)).path == "/account"
        bob = await there.account("bob@example.net")
        assert bob is not None
        assert bob.name == "Bob"
        assert there.there.refused == []


@pytest.mark.requirement(91)
@pytest.mark.parametrize("enabled", [True, False])
async def test_pkce_is_used_where_the_operator_says_that_the_app_has_it(
    tmp_path: Path, enabled: bool
) -> None:
    async with named_journey(
        tmp_path, "linkedin", linkedin(pkce=enabled), email_domains=("*",), pkce=True
    ) as there:
        page = await there.sign_in(there.front.browser(), **BOB)
        if enabled:
            assert page.path == "/account"
            return
        assert "didn't work" in (page.problem or "")
        assert await there.reasons() == ["the token endpoint refused the code: invalid_client"]


@pytest.mark.parametrize("what", ["login", "authorize"])
async def test_its_words_for_cancel_are_understood(tmp_path: Path, what: str) -> None:
    service = linkedin()
    async with named_journey(tmp_path, "linkedin", service, email_domains=("*",)) as there:
        tab = there.front.browser()
        page = await there.arrive(tab, service.cancelled(await there.leave(tab), what))
        assert "didn't finish" in (page.problem or "")
        assert await there.reasons() == []
