"""The page of sign-in methods for people who have no password: no form that could not work, and how they sign in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.authn.providers.journey import ADA, journey
from tests.front_channel import front_channel
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
FORM = "password-change"


async def test_whoever_has_no_password_reads_how_they_sign_in_and_may_set_one_by_mail(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional") as there:
        tab: Tab = there.front.browser()
        assert (await there.sign_in(tab, **ADA)).path == "/account"
        page = await tab.get("/account/methods")
        assert FORM not in page.forms
        assert "You sign in with: Example" in page.words
        assert 'id="password-by-mail"' in page.text
        # without an address none can be set
        other = there.front.browser()
        await there.sign_in(other, sub="phone-only")
        page = await other.get("/account/methods")
        assert FORM not in page.forms
        assert 'id="password-by-mail"' not in page.text


async def test_nobody_of_a_domain_with_a_provider_alone_is_offered_a_password(tmp_path: Path) -> None:
    async with journey(tmp_path, domains=("example.com",), only=True) as there:
        # from before the domain was routed
        await there.front.person()
        tab = there.front.browser()
        page = await there.sign_in(tab, **{**ADA, "email": "bob@example.com"})
        assert page.path == "/account"
        page = await tab.get("/account/methods")
        assert FORM not in page.forms
        assert 'id="password-by-mail"' not in page.text


async def test_everybody_else_changes_it_there() -> None:
    async with front_channel() as front:
        await front.person()
        page = await (await front.signed_in()).get("/account/methods")
        assert FORM in page.forms
        assert 'id="no-password"' not in page.text
