"""Log-out at the provider after one here: offered, led to, or neither, and the way back to the app."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.browsing import Page
from tests.features import made
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.tabs import Tab, sent_to
from tests.upstream import CLIENT_ID

pytestmark = pytest.mark.anyio
BACK = "/sign-in/provider/example/signed-out"
AFTER = "https://shop.example.net/bye?from=here"


async def signed_in(there: Journey) -> Tab:
    tab = there.front.browser()
    assert (await there.sign_in(tab, **BOB)).path == "/account"
    return tab


async def signed_out(tab: Tab, **asked: str) -> Page:
    """The answer to "Sign out", confirmed."""
    page = await tab.get(f"/logout?{urlencode(asked)}")
    return await tab.submit(page, "sign-out", confirm="yes")


def asked_there(there: Journey, url: str) -> dict[str, str]:
    assert url.startswith(f"{there.provider.issuer}/logout?"), url
    return dict(parse_qsl(urlsplit(url).query))


async def with_app(there: Journey) -> dict[str, str]:
    app = await there.front.register(made.public(post_logout_redirect_uris=(AFTER,)))
    return {"client_id": app.id, "post_logout_redirect_uri": AFTER, "state": "st"}


async def test_it_is_offered_on_the_page_after_the_sign_out(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        tab = await signed_in(there)
        page = await tab.on(await signed_out(tab))
        assert page.path == "/signed-out?provider=example"
        assert "You may still be signed in at Example" in page.words
        (link,) = [one for one in page.text.split('"') if one.startswith(there.provider.issuer)]
        asked = asked_there(there, link.replace("&amp;", "&"))
        # no ID token is kept for a hint
        assert asked == {"client_id": CLIENT_ID, "post_logout_redirect_uri": f"{made.ISSUER}{BACK}"}
        assert (await tab.on(await tab.get(BACK))).path == "/signed-out"


async def test_an_app_that_wants_the_person_back_gets_them_at_once(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        asked = await with_app(there)
        tab = await signed_in(there)
        assert sent_to(await signed_out(tab, **asked)) == f"{AFTER}&state=st"


async def test_always_leads_there_and_back_to_the_app(tmp_path: Path) -> None:
    async with journey(tmp_path, log_out="always") as there:
        asked = await with_app(there)
        tab = await signed_in(there)
        upstream = asked_there(there, sent_to(await signed_out(tab, **asked)))
        back = await tab.get(f"{BACK}?{urlencode({'state': upstream['state']})}")
        assert (back.status, back.header("location")) == (303, f"{AFTER}&state=st")
        bob = await there.account(BOB["email"])
        assert bob is not None
        assert await there.front.store.sessions.live_of(bob.id, there.front.now) == []
        # without an app it ends on the page here
        other = await signed_in(there)
        assert "state" not in asked_there(there, sent_to(await signed_out(other)))


async def test_the_way_back_leads_nowhere_that_this_server_did_not_check(tmp_path: Path) -> None:
    """An open redirect: whoever writes the address writes no state."""
    async with journey(tmp_path, log_out="always") as there:
        asked = await with_app(there)
        tab = await signed_in(there)
        state = asked_there(there, sent_to(await signed_out(tab, **asked)))["state"]
        said, _, tag = state.partition(".")
        evil = "aHR0cHM6Ly9ldmlsLmV4YW1wbGU"
        for other in ("", said, f"{evil}.{tag}", f"{said}.{tag[:-1]}", f"{said}.\u00e9", "x" * 9000):
            back = await tab.get(f"{BACK}?{urlencode({'state': other})}")
            assert back.header("location") == "/signed-out", other


@pytest.mark.parametrize("case", ["never", "no endpoint", "by password"])
async def test_otherwise_nothing_is_offered(tmp_path: Path, case: str) -> None:
    changes: dict[str, Any] = {"log_out": "never"} if case == "never" else {"log_out": "always"}
    async with journey(tmp_path, **changes) as there:
        if case == "no endpoint":
            there.provider.metadata_spoiled = {"end_session_endpoint": None}
        if case == "by password":
            await there.front.person()
            tab = await there.front.signed_in()
        else:
            tab = await signed_in(there)
        page = await tab.on(await tab.get("/logout"))
        page = await tab.on(await tab.submit(page, "sign-out", confirm="yes"))
        assert page.path == "/signed-out"
        assert "still be signed in" not in page.words
