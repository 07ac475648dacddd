"""The way to sign in that was used last in a browser is first, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.features.authn.flow.last_used import is_used, used_last_first
from doorward.web.pages.views.sign_in import ProviderButton
from tests.features.authn.providers.journey import BOB, journey
from tests.front_channel import front_channel
from tests.tabs import Tab, sent_to

A, B, C = (ProviderButton(name, name.upper()) for name in "abc")


@pytest.mark.parametrize(
    ("used", "order", "marked"),
    [
        ("", (A, B, C), False),
        ("password", (A, B, C), False),
        ("provider.c", (C, A, B), True),
        ("provider.a", (A, B, C), True),
        ("provider.gone", (A, B, C), False),
        ("provider", (A, B, C), False),
    ],
)
def test_the_provider_used_last_is_first(used: str, order: tuple[ProviderButton, ...], marked: bool) -> None:
    shown = used_last_first((A, B, C), used)
    assert shown == order
    assert is_used(shown, used) == marked
    assert not is_used((), used)


def cookie_of(tab: Tab) -> str | None:
    return next((value for name, value in tab.cookies.items() if name.endswith("_used")), None)


def signed_out(tab: Tab) -> None:
    tab.cookies = {name: value for name, value in tab.cookies.items() if "session" not in name}


@pytest.mark.anyio
async def test_the_password_says_so_after_a_right_one() -> None:
    async with front_channel() as front:
        await front.person()
        tab = front.browser()
        assert "Last used" not in (await tab.get("/sign-in")).words
        await tab.sign_in(password="a wrong one, of some length")
        assert cookie_of(tab) is None
        await tab.sign_in()
        # it names the way, and nobody
        assert cookie_of(tab) == "password"
        signed_out(tab)
        assert "Password Last used" in (await tab.get("/sign-in")).words


@pytest.mark.anyio
async def test_a_providers_button_comes_before_the_form(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        policies = there.front.settings.providers.by_name
        first = {"another": there.provider.policy(issuer="https://another.example", label="Another")}
        policies |= {**first, **policies}
        tab = there.front.browser()
        await there.sign_in(tab, **BOB)
        assert cookie_of(tab) == "provider.example"
        signed_out(tab)
        page = await tab.get("/sign-in")
        forms = list(page.forms)
        assert forms.index("provider-example") < forms.index("sign-in") < forms.index("provider-another")
        assert "Continue with Example Last used" in page.words
        assert page.words.count("Last used") == 1
        # the next sign-in is by password, and takes its place
        await there.front.person()
        await tab.sign_in()
        assert cookie_of(tab) == "password"


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["<script>", "provider.<b>", "x" * 100, "provider." + "y" * 40, "Passwort"])
async def test_whatever_the_cookie_holds_the_page_is_shown(value: str) -> None:
    async with front_channel() as front:
        tab = front.browser()
        tab.cookies[front.jar.name("used")] = value
        page = await tab.get("/sign-in")
        assert page.status == 200
        assert "Last used" not in page.words
        assert value not in page.text


@pytest.mark.anyio
async def test_who_cancels_there_has_not_used_it(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        tab = there.front.browser()
        left = sent_to(await tab.submit(await tab.get("/sign-in"), "provider-example"))
        await tab.on(await tab.get(there.provider.cancelled(left)))
        assert cookie_of(tab) is None
