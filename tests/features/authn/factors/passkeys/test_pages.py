"""Pages of passkeys over HTTP: what they hand to the script, and what its answers lead to."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncGenerator

import pytest

from tests.authenticator import b64
from tests.browsing import SESSION
from tests.features import made
from tests.features.authn.factors.passkeys.served import enrol, options_on, use
from tests.front_channel import Front, front_channel
from tests.tabs import said

pytestmark = pytest.mark.anyio


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        yield opened


@pytest.mark.requirement(86, 88)
async def test_the_sign_in_page_takes_a_passkey_before_a_sign_in_began(front: Front) -> None:
    authenticator = await enrol(front, await front.person())
    tab = front.browser()
    page = await tab.get("/sign-in")
    assert "flow" not in page.forms["passkey"].fields
    options = options_on(page)
    assert (options["rpId"], options["userVerification"]) == ("auth.example.com", "required")
    assert options["allowCredentials"] == []
    answered = await use(tab, page, authenticator)
    assert answered.header("location") == "/account"
    assert SESSION in tab.cookies
    (event,) = await front.audited("sign_in.succeeded")
    assert event.detail["method"] == "swk user mfa"


@pytest.mark.requirement(85, 86)
async def test_an_apps_sign_in_goes_on_to_the_app(front: Front) -> None:
    authenticator = await enrol(front, await front.person())
    app = await front.register(made.public(first_party=True))
    tab = front.browser()
    page = await tab.on(await tab.get(front.asking(app, acr_values="urn:doorward:aal2")))
    answered = await use(tab, page, authenticator)
    token = await front.redeem(app, said(answered)["code"])
    assert token["status"] == 200


@pytest.mark.requirement(88)
async def test_an_answer_without_verification_is_shown_what_to_do(front: Front) -> None:
    authenticator = await enrol(front, await front.person())
    authenticator.verified = False
    tab = front.browser()
    page = await use(tab, await tab.get("/sign-in"), authenticator)
    assert (page.status, page.header("set-cookie")) == (400, None)
    assert page.problem is not None
    assert page.problem.startswith("Unlock the passkey")
    authenticator.verified = True
    assert (await use(tab, page, authenticator)).header("location") == "/account"


async def test_an_unknown_passkey_is_named_to_the_password_manager(front: Front) -> None:
    ada = await front.person()
    authenticator = await enrol(front, ada)
    assert await front.store.commit(front.store.accounts.remove_factors(ada.id, "passkey"))
    tab = front.browser()
    page = await use(tab, await tab.get("/sign-in"), authenticator)
    assert page.problem == "This passkey isn't known here any more. Use another way."
    found = re.search(r'data-signals="([^"]*)"', page.text)
    assert found
    assert json.loads(html.unescape(found[1])) == [
        {
            "signalName": "unknownCredential",
            "rpID": "auth.example.com",
            "credentialID": b64(authenticator.credentials[0].id),
        }
    ]


@pytest.mark.requirement(88)
async def test_a_security_key_is_asked_for_after_the_password(front: Front) -> None:
    authenticator = await enrol(front, await front.person(), second=True, verified=False)
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get("/sign-in")))
    assert page.path.startswith("/sign-in/passkey?flow=")
    assert "for ada@example.com" in page.words
    assert [one["id"] for one in options_on(page)["allowCredentials"]] == [
        b64(authenticator.credentials[0].id)
    ]
    assert (await use(tab, page, authenticator)).header("location") == "/account"


async def test_a_page_that_stays_open_gets_other_options(front: Front) -> None:
    authenticator = await enrol(front, await front.person())
    tab = front.browser()
    page = await tab.get("/sign-in")
    found = re.search(r'data-renew="([^"]*)"', page.text)
    assert found
    renewed = await tab.get(html.unescape(found[1]))
    options = json.loads(renewed.text)
    assert renewed.header("cache-control") == "no-store"
    assert options["challenge"] != options_on(page)["challenge"]
    front.clock.time += 590
    answered = await tab.submit(page, "passkey", credential=authenticator.get(options))
    assert answered.header("location") == "/account"


async def test_a_form_without_scripts_shows_the_page_again(front: Front) -> None:
    await enrol(front, await front.person())
    tab = front.browser()
    page = await tab.submit(await tab.get("/sign-in"), "passkey")
    assert page.status == 400
    assert "Passkeys need JavaScript" in page.words
    assert "/sign-in?" in page.text
