"""A factor and an identity provider from outside the tree: offered, accepted, reported to apps, stored in the session, audited."""

from __future__ import annotations

import html
import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from doorward.adapters.mail.queue import open_message
from doorward.app.container import open_container
from doorward.app.http import http_app
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.session import Session
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.slots import MESSAGES, message_templates
from tests.browsing import PASSWORD, SESSION, Page
from tests.features import made
from tests.features.authn import toys
from tests.front_channel import CODE_CHALLENGE, Front, front_channel
from tests.tabs import Tab, said

pytestmark = pytest.mark.anyio


class AnotherToyShown(toys.ToyShown):
    """A second message of the same kind."""


AAL1, AAL2 = "urn:doorward:aal1", "urn:doorward:aal2"
OWN = made.public(first_party=True)


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel(features=(*FEATURES, toys.TOYS)) as opened:
        await opened.register(OWN)
        yield opened


async def person(front: Front, *, toy: bool = False) -> Account:
    ada = await front.person()
    if toy:
        row = EnrolledFactor("fac_toy", ada.id, "toy", front.now)
        assert await front.store.commit(front.store.accounts.add_factor(row))
    return ada


def link(page: Page, path: str) -> str:
    """The target of a link on the page."""
    found = re.search(rf'href="({re.escape(path)}\?[^"]*)"', page.text)
    assert found, page.words
    return html.unescape(found[1])


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return msgspec.json.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)))


async def by_provider(front: Front, tab: Tab, page: Page, subject: str) -> Page:
    """Follows the link to the provider and returns as `subject`."""
    away = await tab.get(link(page, "/sign-in/toy-provider"))
    assert (away.header("location") or "").startswith(toys.PROVIDER)
    state = parse_qs(urlsplit(away.header("location") or "").query)["state"][0]
    return await tab.on(await tab.get(f"/sign-in/toy-provider/callback?state={state}&sub={subject}"))


async def session_of(front: Front, tab: Tab) -> Session:
    found = await front.store.sessions.by_secret(digest(tab.cookies[SESSION]))
    assert found is not None
    return found


async def claims(front: Front, app: Client, page: Page) -> dict[str, Any]:
    return claims_of((await front.redeem(app, said(page)["code"]))["access_token"])


@pytest.mark.requirement(38)
async def test_a_request_for_two_factors_asks_for_the_toy_and_reports_it_to_app_and_session(
    front: Front,
) -> None:
    await person(front, toy=True)
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(OWN, acr_values=AAL2))))
    assert page.path.startswith("/sign-in/toy")
    page = await tab.submit(page, "toy", word="wrong")
    page = await tab.on(page)
    assert page.path.startswith("/sign-in/toy"), "a wrong word was accepted"
    page = await tab.submit(page, "toy", word=toys.WORD)
    token = await claims(front, OWN, page)
    assert (token["acr"], token["amr"]) == (AAL2, ["pwd", "toy", "mfa"])
    session = await session_of(front, tab)
    assert [one.kind for one in session.proofs] == ["password", "toy"]
    assert (session.acr, session.amr) == (AAL2, ("pwd", "toy", "mfa"))
    (line,) = await front.audited("sign_in.succeeded")
    assert line.detail["method"] == "pwd toy mfa"
    # the session stores it: the next sign-in is silent and reaches the same level
    front.clock.time += 60
    silent = await tab.get(front.asking(OWN, acr_values=AAL2, prompt="none"))
    assert (await claims(front, OWN, silent))["acr"] == AAL2


@pytest.mark.requirement(38)
async def test_an_essential_level_is_reached_by_everyone_who_can_reach_it(front: Front) -> None:
    essential = msgspec.json.encode({"id_token": {"acr": {"essential": True, "value": AAL2}}}).decode()
    ada = await person(front, toy=True)
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(OWN, claims=essential))))
    page = await tab.submit(page, "toy", word=toys.WORD)
    assert (await claims(front, OWN, page))["acr"] == AAL2
    assert await front.store.commit(front.store.accounts.remove_factors(ada.id, "toy"))
    tab = front.browser()
    page = await tab.sign_in_at(await tab.get(front.asking(OWN, claims=essential)))
    assert said(page)["error"] == "unmet_authentication_requirements"


async def test_a_message_from_outside_is_written_in_the_owners_language(front: Front) -> None:
    ada = await person(front, toy=True)
    await front.change(ada, locale="de")
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(OWN, acr_values=AAL2))))
    await tab.submit(page, "toy", word=toys.WORD)
    (mail,) = [mail for mail in await front.store.messages.recent_mail(10) if mail.kind == "toy_shown"]
    message = open_message(front.services.sealer, mail)
    assert mail.to == ada.email
    assert message.subject == "Your toy was shown (de)"
    # its own words, and the words common to all messages
    assert "https://auth.example.com/account/activity" in message.text
    assert "https://auth.example.com/account/activity" in message.html


async def test_two_messages_of_one_kind_prevent_the_start(front: Front) -> None:
    again = Feature(name="again", adds=(MESSAGES.filled_by(lambda _: (AnotherToyShown,)),))
    with pytest.raises(ValueError, match="two messages have one kind: toy_shown"):
        message_templates(replace(front.services, additions=[*front.services.additions, *again.adds]))


async def test_the_toy_is_not_asked_for_without_a_request_for_two_factors(front: Front) -> None:
    await person(front, toy=True)
    tab = front.browser()
    page = await tab.sign_in_at(await tab.get(front.asking(OWN)))
    assert (await claims(front, OWN, page))["acr"] == AAL1


async def test_the_toy_is_an_alternative_to_the_authenticator_app(front: Front) -> None:
    ada = await person(front, toy=True)
    await front.authenticator(ada)
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(OWN))))
    assert page.path.startswith("/sign-in/code")
    assert "Show your toy (en)" in page.words
    page = await tab.submit(await tab.get(link(page, "/sign-in/toy")), "toy", word=toys.WORD)
    assert (await claims(front, OWN, page))["amr"] == ["pwd", "toy", "mfa"]


async def test_the_sign_in_page_shows_a_factor_that_a_script_can_use_there() -> None:
    none = PasskeyPolicy(enabled=False)
    async with front_channel(features=(*FEATURES, toys.PASSKEY_TOY), passkeys=none) as front:
        await front.person()
        tab = front.browser()
        page = await tab.get("/sign-in")
        assert "Use your toy passkey here" in page.words, "a part of the page, in place of a link"
        assert page.forms["toy-offer"].action == "/sign-in/toy-passkey"
        assert re.search(r'data-options="{&#34;of&#34;: &#34;[0-9a-f]{64}  \d+&#34;}"', page.text)
        assert 'data-renew="/sign-in/toy-passkey/options"' in page.text
        assert "/passkeys.js" in page.text
        assert "/page.js" not in page.text
        page = await tab.on(await tab.get(front.asking(made.client())))
        flow = page.forms["toy-offer"].fields["flow"]
        assert f" {flow} " in page.text
        wrong = await tab.submit(page, "sign-in", identifier="ada@example.com", password="wrong")
        assert list(wrong.forms) == ["sign-in", "toy-offer"]
    async with front_channel(passkeys=none) as front:
        page = await front.browser().get("/sign-in")
        assert list(page.forms) == ["sign-in"]
        assert "/passkeys.js" not in page.text


async def test_the_provider_is_offered_to_everyone_and_counts_as_one_factor(front: Front) -> None:
    ada = await person(front)
    tab = front.browser()
    page = await tab.on(await tab.get(front.asking(OWN)))
    assert "Continue with Toy & Co" in page.words
    page = await by_provider(front, tab, page, ada.id)
    token = await claims(front, OWN, page)
    assert (token["sub"], token["acr"], token["amr"]) == (ada.id, AAL1, ["fed"])
    session = await session_of(front, tab)
    assert [one.kind for one in session.proofs] == ["toy_provider"]
    (line,) = await front.audited("sign_in.succeeded")
    assert line.detail["method"] == "fed"
    front.clock.time += 60
    silent = await tab.get(front.asking(OWN, prompt="none"))
    assert (await claims(front, OWN, silent))["amr"] == ["fed"]


@pytest.mark.requirement(85)
async def test_a_sign_in_by_the_provider_still_requires_the_second_factor(front: Front) -> None:
    ada = await person(front)
    await front.authenticator(ada)
    tab = front.browser()
    page = await by_provider(front, tab, await tab.on(await tab.get(front.asking(OWN))), ada.id)
    assert page.path.startswith("/sign-in/code")
    page = await tab.submit(page, "second-factor", code=front.code())
    token = await claims(front, OWN, page)
    assert (token["acr"], token["amr"]) == (AAL2, ["fed", "otp", "mfa"])


@pytest.mark.requirement(91)
async def test_a_provider_callback_in_another_browser_does_not_sign_in(front: Front) -> None:
    ada = await person(front)
    mine, theirs = front.browser(), front.browser()
    page = await mine.on(await mine.get(front.asking(OWN)))
    away = await mine.get(link(page, "/sign-in/toy-provider"))
    state = parse_qs(urlsplit(away.header("location") or "").query)["state"][0]
    back = await theirs.get(f"/sign-in/toy-provider/callback?state={state}&sub={ada.id}")
    assert (await theirs.on(back)).path.startswith("/sign-in")
    assert await front.store.sessions.live_of(ada.id, front.now) == []


@pytest.mark.requirement(80)
async def test_the_factors_that_may_come_first_are_the_same_for_everyone(front: Front) -> None:
    await person(front, toy=True)
    shown = set[str]()
    for email in ("ada@example.com", "nobody@example.com"):
        tab = front.browser()
        page = await tab.on(await tab.get(front.asking(OWN)))
        page = await tab.submit(page, "sign-in", identifier=email, password="wrong wrong wrong")
        shown.add(" ".join(page.words.replace(email, "").split()))
    assert len(shown) == 1


async def test_the_json_sign_in_has_the_toys_step_and_none_of_the_provider(front: Front) -> None:
    await person(front, toy=True)
    tab = front.browser()

    async def call(**params: str) -> dict[str, str]:
        page = await tab.ask("POST", "/authorize-challenge", form={"client_id": OWN.id, **params})
        return msgspec.json.decode(page.text)

    asked = {
        "scope": "openid orders:read",
        "code_challenge": CODE_CHALLENGE,
        "code_challenge_method": "S256",
        "acr_values": AAL2,
    }
    begun = await call(**asked)
    assert begun["next"] == "password"
    more = await call(auth_session=begun["auth_session"], username="ada@example.com", password=PASSWORD)
    assert (more["error"], more["next"]) == ("insufficient_authorization", "toy")
    wrong = await call(auth_session=begun["auth_session"], toy="wrong")
    assert (wrong["error"], wrong["next"]) == ("access_denied", "toy")
    done = await call(auth_session=begun["auth_session"], toy=toys.WORD)
    answer = await front.redeem(OWN, done["authorization_code"])
    assert claims_of(answer["access_token"])["acr"] == AAL2


async def test_the_toy_is_set_up_beside_the_other_methods(front: Front) -> None:
    await person(front)
    tab = front.browser()
    await tab.on(await tab.sign_in())
    page = await tab.get("/account/methods")
    assert 'href="/account/methods/toy"' in page.text


@pytest.mark.requirement(85)
async def test_a_server_without_the_toy_ignores_its_proofs(front: Front) -> None:
    """The same database: a session and a sign-in written by a server with more factors."""
    await person(front, toy=True)
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(OWN, acr_values=AAL2))))
    await tab.submit(page, "toy", word=toys.WORD)
    halfway = front.browser()
    page = await by_provider(
        front, halfway, await halfway.on(await halfway.get(front.asking(OWN, acr_values=AAL2))), "usr_ada"
    )
    assert page.path.startswith("/sign-in/toy")
    plain = await open_container(
        settings=front.settings, store=front.store, clock=front.clock, hasher=front.services.hasher
    )
    await plain.services.config.refresh()
    for each in (tab, halfway):
        each.app = http_app(plain, process_tag="t")
    silent = await tab.get(front.asking(OWN, prompt="none"))
    token = await claims(front, OWN, silent)
    assert (token["acr"], token["amr"]) == (AAL1, ["pwd"])
    # the provider's proof does not count here
    page = await halfway.on(await halfway.get(page.path.replace("/sign-in/toy", "/sign-in/code")))
    assert page.path.startswith("/sign-in")
    assert "sign-in" in page.forms
