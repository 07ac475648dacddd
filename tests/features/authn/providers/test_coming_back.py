"""Coming back from a provider in a browser that is not as it was: without its cookies, or with a second tab (R70, R91)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.features import made
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.tabs import sent_to

pytestmark = pytest.mark.anyio


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as opened:
        yield opened


@pytest.mark.requirement(70, 91)
async def test_a_lost_cookie_begins_again_with_the_destination_kept(there: Journey) -> None:
    """Field failure of social sign-in: the browser came back without its cookies, and ended on a page without a way to the app."""
    app = await there.front.register(made.public(access={}))
    tab = there.front.browser()
    start = there.front.asking(app, scope="openid", login_hint="bob@example.net")
    back = there.provider.approved(await there.leave(tab, start), **BOB)
    tab.cookies.clear()
    page = await tab.on(await tab.get(back))
    assert "took too long" in (page.problem or "")
    # nothing of the lost sign-in counts: its answer is not redeemed, and whom the app expected is not said
    assert "/token" not in there.provider.calls
    assert "bob@example.net" not in page.text
    left = sent_to(await tab.submit(page, "provider-example"))
    assert "login_hint" not in there.provider.asked(left)
    page = await tab.on(await tab.get(there.provider.approved(left, **BOB)))
    if page.path.startswith("/consent"):
        page = await tab.on(await tab.submit(page, "consent", decision="allow"))
    assert sent_to(page).startswith(app.redirect_uris[0])


@pytest.mark.parametrize("state", ["", "x", "e30.x", "W10.x", "a" * 3000])
async def test_any_state_in_a_browser_without_cookies_is_answered_with_a_page(
    there: Journey, state: str
) -> None:
    tab = there.front.browser()
    page = await tab.on(await tab.get(f"/sign-in/provider/example/callback?state={state}&code=c"))
    assert page.status == 200
    assert "took too long" in (page.problem or "")


async def test_two_tabs_end_each_at_its_own_app(there: Journey) -> None:
    """next-auth#7894: the second tab took the first one's state, and both ended at one app."""
    one = await there.front.register(made.public(access={}))
    two = made.public(id="app_two", name="two", redirect_uris=("https://two.example/cb",), access={})
    await there.front.register(two)
    tab = there.front.browser()
    first = await there.leave(tab, there.front.asking(one, scope="openid"))
    second = await there.leave(tab, there.front.asking(two, scope="openid"))
    for url, app in ((second, two), (first, one)):
        page = await tab.on(await tab.get(there.provider.approved(url, **BOB)))
        if page.path.startswith("/consent"):
            page = await tab.on(await tab.submit(page, "consent", decision="allow"))
        assert sent_to(page).startswith(app.redirect_uris[0])
