"""Domains whose people sign in at a provider: led there from the first page, with nothing said about who has an account (R80)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from doorward.features.authn.factors.email_code.settings import EmailCodePolicy
from tests.browsing import PASSWORD, Page
from tests.features import made
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.front_channel import front_channel
from tests.tabs import Tab, sent_to

pytestmark = pytest.mark.anyio
DOMAINS = ("example.com", "b\u00fccher.example")
CODES = {"email_codes": EmailCodePolicy(first=True)}


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    """Ada, with a password here; her domain is routed, and the password works too."""
    async with journey(tmp_path, domains=DOMAINS, more=CODES) as opened:
        await opened.front.person()
        yield opened


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncGenerator[Journey]:
    """The same, and her domain has no other way in."""
    async with journey(tmp_path, domains=DOMAINS, only=True, more=CODES) as opened:
        await opened.front.person()
        yield opened


async def typed(there: Journey, address: str, tab: Tab | None = None) -> Page:
    """The page that follows after an address on the first one."""
    tab = tab or there.front.browser()
    return await tab.submit(await tab.on(await tab.get("/sign-in")), "sign-in", identifier=address)


@pytest.mark.requirement(80)
@pytest.mark.parametrize(
    "address", ["ada@example.com", "nobody@example.com", " Ada+x@EXAMPLE.com", "ada@b\u00fccher.example"]
)
async def test_an_address_of_the_domain_leads_to_its_provider(there: Journey, address: str) -> None:
    """Whether or not somebody here has it: the page of one and the other differ in nothing but state and address."""
    page = await typed(there, address)
    assert page.status == 200
    asked = there.provider.asked(sent_to(page))
    assert asked["login_hint"].isascii()
    assert asked["login_hint"] == address.strip().lower().replace("b\u00fccher", "xn--bcher-kva")
    assert not await there.front.audited("sign_in.failed")


async def test_another_address_gets_the_field_for_the_password(there: Journey) -> None:
    tab = there.front.browser()
    await there.front.person(id="usr_eve", email="eve@example.org")
    first = await tab.get("/sign-in")
    assert "password" not in first.forms["sign-in"].fields
    second = await tab.submit(first, "sign-in", identifier="eve@example.org")
    assert second.forms["sign-in"].fields["identifier"] == "eve@example.org"
    done = await tab.on(await tab.submit(second, "sign-in", password=PASSWORD))
    assert done.path == "/account", done.words[:300]
    # without an address the first page stays
    empty = await typed(there, " ")
    assert empty.problem is not None or "identifier" in empty.text
    assert "password" not in empty.forms["sign-in"].fields


async def test_the_password_stays_a_way_in_where_the_provider_is_not_the_only_one(there: Journey) -> None:
    tab = there.front.browser()
    page = await tab.get("/sign-in?with=password")
    done = await tab.on(await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD))
    assert done.path == "/account"


@pytest.mark.requirement(80, 85)
@pytest.mark.parametrize("address", ["ada@example.com", "nobody@example.com"])
async def test_where_it_is_the_only_one_every_other_door_says_so(alone: Journey, address: str) -> None:
    """A right password, a wrong one, a code by mail, a reset and a sign-up: the same page, for everybody of the domain."""
    said: set[str] = set()
    doors: list[tuple[str, str, dict[str, str]]] = [
        ("/sign-in?with=password", "sign-in", {"identifier": address, "password": PASSWORD}),
        ("/sign-in?with=password", "sign-in", {"identifier": address, "password": "another one, wrong"}),
        ("/sign-in/email", "mail-first", {"email": address}),
        ("/reset", "reset", {"email": address}),
        ("/sign-up", "sign-up", {"email": address, "password": PASSWORD}),
    ]
    for path, form, fields in doors:
        tab = alone.front.browser()
        page = await tab.submit(await tab.get(path), form, **fields)
        assert page.status == 200, (path, page.status)
        assert "They need no password here" in page.words, (path, page.words[:300])
        said.add(page.words)
        left = await tab.submit(page, "routed")
        assert alone.provider.asked(sent_to(left))["login_hint"] == address
    assert len(said) == 1
    assert not await alone.front.store.messages.recent_mail(10)
    assert not await alone.front.audited("sign_in.failed")


async def test_its_people_sign_up_at_it(alone: Journey) -> None:
    claims = {**BOB, "email": "new@example.com"}
    assert (await alone.sign_in(alone.front.browser(), **claims)).path == "/account"
    assert await alone.account("new@example.com") is not None


@pytest.mark.requirement(89)
async def test_another_provider_creates_no_account_for_it(tmp_path: Path) -> None:
    """One that may confirm any address: an address of this domain is its own provider's to confirm."""
    async with journey(tmp_path) as there:
        policies = there.provider.settings()
        corp = there.provider.policy(issuer="https://corp.example", domains=DOMAINS, only=True)
        policies.by_name["corp"] = corp
        settings = {"ca_file": there.provider.ca_file, "providers": policies}
        async with front_channel(**settings) as front:
            both = Journey(front, there.provider)
            there.provider.clock = front.clock
            page = await both.sign_in(front.browser(), **{**BOB, "email": "new@example.com"})
            assert "Nobody here has connected that account" in (page.problem or "")
            assert await both.account("new@example.com") is None
            assert (await both.sign_in(front.browser(), **BOB)).path == "/account"


@pytest.mark.requirement(80, 85)
async def test_the_json_sign_in_sends_them_to_the_web(there: Journey) -> None:
    """OAuth 2.0 for First-Party Applications §5.2.2: redirect_to_web, whether or not somebody has the address."""
    app = await there.front.register(made.public(first_party=True))

    async def challenge(**fields: str) -> dict[str, Any]:
        form = {**there.front.params(app), **fields}
        page = await there.front.browser().ask("POST", "/authorize-challenge", form=form)
        return {"status": page.status, **msgspec.json.decode(page.text)}

    known, unknown = [await challenge(username=f"{one}@example.com") for one in ("ada", "nobody")]
    assert known == unknown
    assert (known["status"], known["error"]) == (400, "redirect_to_web")
    # an address elsewhere, and no address: the accounts elsewhere are one of the ways, the same for everybody
    begun = await challenge(username="eve@example.org")
    offered = {"step": "redirect_to_web", "providers": [{"name": "example", "label": "Example"}]}
    assert offered in begun["acceptable"]
    # the provider is not the only way
    assert "authorization_code" in await challenge(username="ada@example.com", password=PASSWORD)


@pytest.mark.requirement(85)
async def test_the_json_sign_in_takes_no_password_where_the_provider_is_the_only_way(alone: Journey) -> None:
    app = await alone.front.register(made.public(first_party=True))
    for name in ("ada", "nobody"):
        form = {**alone.front.params(app), "username": f"{name}@example.com", "password": PASSWORD}
        page = await alone.front.browser().ask("POST", "/authorize-challenge", form=form)
        assert (page.status, msgspec.json.decode(page.text)["error"]) == (400, "redirect_to_web")


async def test_a_sign_in_for_an_app_keeps_its_destination(there: Journey) -> None:
    app = await there.front.register(made.public(access={}))
    tab = there.front.browser()
    page = await tab.on(await tab.get(there.front.asking(app, scope="openid")))
    left = await tab.submit(page, "sign-in", identifier="bob@example.com")
    back = there.provider.approved(sent_to(left), **{**BOB, "email": "bob@example.com"})
    page = await tab.on(await tab.get(back))
    if page.path.startswith("/consent"):
        page = await tab.on(await tab.submit(page, "consent", decision="allow"))
    assert sent_to(page).startswith(app.redirect_uris[0])
