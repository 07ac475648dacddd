"""Sign-in with an account at another provider in a real browser: each scenario at each of three providers, with their own pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from playwright.sync_api import Browser, Error, Page, expect

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.browser.foreign import ForeignApp, foreign_app
from tests.browser.peers import Peer, address
from tests.browser.providers import DoorwardPeer, MockPeer, NodePeer
from tests.browser.visiting import BUTTON, CALLBACK, SOON, Place, placed, query
from tests.flows.seeds import PASSWORD, draft
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.peer]
PAUSE = 31
"""Seconds after which the provider's documents are asked for again."""


def first_sign_in(at: Place, there: Peer) -> None:
    """An account is created, and found again in another browser."""
    visitor = at.visitor()
    visitor.sign_in(there, "first")
    visitor.signed_in_as(address("first"))
    again = at.visitor()
    again.sign_in(there, "first")
    again.signed_in_as(address("first"))


def link(at: Place, there: Peer) -> None:
    """Somebody connects the account there on the account pages, and then signs in with it."""
    at.person("owner@example.com")
    owner = at.visitor()
    owner.by_password("owner@example.com")
    owner.open("/account/methods/providers", "Connected accounts")
    owner.press("#connect-example-submit")
    there.approve(owner.page, "linked")
    owner.arrive("Connected accounts")
    expect(owner.page.locator("#done")).to_contain_text("The account is connected")
    expect(owner.page.locator("#connected-1-title")).to_have_text("Example")
    elsewhere = at.visitor()
    elsewhere.sign_in(there, "linked")
    elsewhere.signed_in_as("owner@example.com")


def refuse_the_hijack(at: Place, there: Peer) -> None:
    """The provider confirms somebody the address of an account here: that opens nothing, and connects nothing."""
    at.person(address("hijacked"))
    thief = at.visitor()
    thief.leave()
    there.approve(thief.page, "hijacked")
    thief.arrive("Connect your account")
    thief.signed_in_as(None)
    thief.page.click("#submit")
    thief.arrive("Sign in")
    thief.page.fill("#identifier", address("hijacked"))
    thief.page.fill("#password", "not the owner's password")
    thief.page.click("#submit")
    thief.says("don't match")
    thief.signed_in_as(None)
    owner = at.visitor()
    owner.by_password(address("hijacked"))
    owner.open("/account/methods/providers", "Connected accounts")
    expect(owner.page.locator("#connected")).to_have_count(0)


def rotated_keys(at: Place, there: Peer) -> None:
    """The provider signs with a key that nobody has seen before."""
    at.visitor().sign_in(there, "rotated")
    there.rotate()
    at.here.clock.ahead += PAUSE
    visitor = at.visitor()
    visitor.sign_in(there, "rotated")
    visitor.signed_in_as(address("rotated"))


def replayed_code(at: Place, there: Peer) -> None:
    """A code that was used, in the answer to a request of the attacker's own browser."""
    visitor = at.visitor()
    visitor.sign_in(there, "replayed")
    thief = at.visitor()
    asked: list[str] = []
    thief.page.on("request", lambda one: asked.append(one.url) if "code_challenge" in one.url else None)
    thief.leave()
    answer = query(visitor.came_back_by[0])
    answer["state"] = query(asked[0])["state"]
    thief.page.goto(f"{at.here.issuer}{CALLBACK}?{urlencode(answer)}")
    thief.arrive("Sign in")
    thief.says("didn't work")
    thief.signed_in_as(None)
    # the whole answer, in a browser that did not ask for it
    stranger = at.visitor()
    stranger.open("/sign-in", "Sign in")
    stranger.page.goto(visitor.came_back_by[0])
    stranger.arrive("Sign in")
    stranger.says("took too long")
    stranger.signed_in_as(None)
    visitor.signed_in_as(address("replayed"))


def mix_up(at: Place, there: Peer) -> None:
    """An attacker's provider, chosen by the visitor, sends them on to the honest one, to get the code or to have it used
    (RFC 9207 §1)."""
    metadata = httpx2.get(f"{there.issuer}/.well-known/openid-configuration", trust_env=False).json()
    at.mallory.leads_to = metadata["authorization_endpoint"]
    honest = {"client_id": there.client_id, "redirect_uri": at.here.issuer + CALLBACK}
    at.mallory.replaced = honest
    visitor = at.visitor()
    visitor.open("/sign-in", "Sign in")
    visitor.press("#provider-mallory-submit")
    there.approve(visitor.page, "mixed")
    visitor.arrive("Sign in")
    visitor.says("took too long")
    visitor.signed_in_as(None)
    (answer,) = visitor.came_back_by
    assert query(answer)["code"]
    # neither provider was asked to redeem it: the attacker's never learned it, the honest one's is still good and unused
    assert "/token" not in at.mallory.calls


def back_button(at: Place, there: Peer) -> None:
    """Back from the provider's page, and back after the end: there is always a page that goes on."""
    visitor = at.visitor()
    visitor.leave()
    visitor.page.go_back()
    visitor.arrive("Sign in")
    visitor.press(BUTTON)
    there.approve(visitor.page, "back")
    visitor.arrive("Profile")
    # the address of the answer, which a browser may ask for again
    visitor.page.goto(visitor.came_back_by[0])
    visitor.arrive("Profile")
    for _ in range(4):
        with suppress(Error):
            # a page of the provider that leads on at once ends this navigation with another
            visitor.page.go_back()
        visitor.page.wait_for_load_state("load")
        if visitor.page.url.startswith(at.here.issuer):
            expect(visitor.page.locator("h1")).to_have_text("Profile")
    # in a tab of its own, since the provider may be leading this one on
    visitor.signed_in_as(address("back"))


def two_tabs(at: Place, there: Peer) -> None:
    """next-auth#7894: each tab ends at the app at which it began, whichever comes back first."""
    one, two = at.apps
    visitor = at.visitor()
    tabs = [visitor.page, visitor.context.new_page()]
    for tab, app in zip(tabs, (one, two), strict=True):
        tab.goto(app.begin())
        tab.click("#connect")
        visitor.arrive("Sign in", tab)
        visitor.press(BUTTON, tab)
    for tab, app in reversed(list(zip(tabs, (one, two), strict=True))):
        app.arrived.clear()
        there.approve(tab, "tabs")
        expect(tab).to_have_url(re.compile(f"^{re.escape(app.callback)}"), timeout=SOON)
        assert [sorted(came.fields) for came in app.arrived] == [["code", "iss", "state"]]
        assert app.redeem()["token_type"] == "Bearer"


def cancelled(at: Place, there: Peer) -> None:
    """Cancel leads back to the sign-in of the same app, from where another try succeeds."""
    app = at.apps[0]
    visitor = at.visitor()
    visitor.page.goto(app.begin())
    visitor.page.click("#connect")
    visitor.arrive("Sign in")
    visitor.press(BUTTON)
    there.cancel(visitor.page, "cancels")
    visitor.arrive("Sign in")
    if there.states_cancel:
        visitor.says("You didn't finish signing in there")
        expect(visitor.page.locator("#app")).to_contain_text("One")
    else:
        # anybody can lead a browser to such an answer: it is none of this browser's
        visitor.says("took too long")
        visitor.page.goto(app.begin())
        visitor.page.click("#connect")
        visitor.arrive("Sign in")
    visitor.signed_in_as(None)
    visitor.press(BUTTON)
    there.approve(visitor.page, "cancels")
    expect(visitor.page).to_have_url(re.compile(f"^{re.escape(app.callback)}"), timeout=SOON)


def session_ended_there(at: Place, there: Peer) -> None:
    """After a log-out at the provider the session here ends, where the provider tells of it; and the next sign-in asks there again."""
    visitor, other = at.visitor(), at.visitor()
    visitor.sign_in(there, "ended")
    other.sign_in(there, "ended")
    tab = visitor.context.new_page()
    there.sign_out(tab)
    if there.tells_of_log_outs:
        until(lambda: _heading(tab, f"{at.here.issuer}/account") == "Sign in", look=0.1)
        other.signed_in_as(address("ended"))
    else:
        visitor.signed_in_as(address("ended"))
        visitor.page.context.clear_cookies()
    visitor.leave()
    there.asks_to_sign_in(visitor.page)
    there.approve(visitor.page, "ended")
    visitor.arrive("Profile")


def provider_down(at: Place, there: Peer) -> None:
    """A provider that does not answer is named on the page, the other ways are offered, and it works again when it is back."""
    there.stop()
    at.person("waits@example.com")
    visitor = at.visitor()
    visitor.open("/sign-in", "Sign in")
    visitor.page.click(BUTTON)
    visitor.arrive("Sign in")
    visitor.says("isn't answering")
    visitor.page.click("a.other-way")
    visitor.arrive("Sign in")
    visitor.page.fill("#identifier", "waits@example.com")
    visitor.page.fill("#password", PASSWORD)
    visitor.page.click("#submit")
    visitor.arrive("Profile")
    there.start()
    at.here.clock.ahead += PAUSE
    again = at.visitor()
    again.sign_in(there, "down")
    again.signed_in_as(address("down"))


SCENARIOS = (
    first_sign_in,
    link,
    refuse_the_hijack,
    provider_down,
    rotated_keys,
    replayed_code,
    mix_up,
    back_button,
    two_tabs,
    cancelled,
    session_ended_there,
)
PEERS = ("doorward", "oidc-provider", "oidc-provider-mock")
NOW = {("oidc-provider", first_sign_in), ("doorward", first_sign_in), ("doorward", mix_up)}
"""What runs in `make test`; the others run in the soak."""
Found = tuple[Place, Peer]


def _cases() -> Iterator[Any]:
    for peer in PEERS:
        for scenario in SCENARIOS:
            marks = () if (peer, scenario) in NOW else pytest.mark.soak
            yield pytest.param(peer, scenario, id=f"{peer}-{scenario.__name__}", marks=marks)


@pytest.fixture(scope="module")
def places(
    request: pytest.FixtureRequest,
    chrome: Browser,
    checked_in: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str, bool], Found]]:
    """The server and the provider of this name, for all scenarios; a new server for a scenario that wants it."""
    kept: dict[str, Found] = {}
    with ExitStack() as stack:

        def made(peer: str) -> Found:
            folder = tmp_path_factory.mktemp("here")
            there: Peer
            match peer:
                case "doorward":
                    (folder / "there").mkdir()
                    there = DoorwardPeer(folder / "there")
                case "oidc-provider":
                    there = NodePeer(request.getfixturevalue("node_peers"))
                case _:
                    there = MockPeer()
            place = stack.enter_context(placed(there, folder, chrome, checked_in))
            there.start()
            stack.callback(there.stop)
            place.apps = [_app(place, name, stack) for name in ("One", "Two")]
            return place, there

        def find(peer: str, new: bool) -> Found:
            if new or peer not in kept:
                kept[peer] = made(peer)
            return kept[peer]

        yield find


def _app(place: Place, name: str, stack: ExitStack) -> ForeignApp:
    app = stack.enter_context(foreign_app())

    async def work(services: Services) -> None:
        wanted = draft(name, "web", redirect_uris=(app.callback,), first_party=True)
        made = await services.get(admin.apps).create(os_actor(), wanted, kind="web")
        assert made.secret is not None
        app.client_id, app.secret = made.client.id, made.secret.reveal()

    place.operate(work)
    app.issuer = place.here.issuer
    return app


@pytest.mark.requirement(89, 91)
@pytest.mark.parametrize(("peer", "scenario"), list(_cases()))
def test_federation(
    places: Callable[[str, bool], Found], peer: str, scenario: Callable[[Place, Peer], None]
) -> None:
    # a server that has asked the provider before has what it needs to lead a browser there
    place, there = places(peer, scenario is provider_down)
    try:
        scenario(place, there)
    finally:
        place.mallory.leads_to = ""
    place.close()


def _heading(tab: Page, url: str) -> str:
    tab.goto(url)
    return tab.locator("h1").inner_text()
