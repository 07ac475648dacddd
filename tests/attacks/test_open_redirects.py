"""Addresses of this server that lead anywhere: anybody can register an app where that is open, with any redirect URI, and mail people a link
to its refused requests and sign-outs (RFC 9700 §4.11.2)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import quote

import pytest

from doorward.core.model.client import Client
from doorward.features.oauth.registration.settings import RegistrationPolicy
from tests.coming_apps import at_consent, opened
from tests.features import made
from tests.features.oauth.registration.test_service import client_of, register
from tests.front_channel import Front, front_channel
from tests.tabs import Tab, said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(2, 60)]
EVIL = "https://evil.example"
CALLBACK, OUT = f"{EVIL}/callback", f"{EVIL}/out"
LOCAL = "http://localhost/callback"
COMMAND = "cursor://anysphere.cursor-deeplink/mcp/install?name=evil.example"
REFUSED = (
    {"prompt": "none"},
    {"scope": "nonsense"},
    {"response_type": "token"},
    {"display": "x"},
    {"response_mode": "form_post", "prompt": "none"},
    {"id_token_hint": "x"},
)


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel(registration=RegistrationPolicy(mode="open", per_network=8)) as front:
        await opened(front, "registration")
        yield front


async def stranger(front: Front) -> Client:
    status, answer, _ = await register(
        front,
        redirect_uris=[CALLBACK, LOCAL],
        post_logout_redirect_uris=[OUT, f"{LOCAL}/out"],
        token_endpoint_auth_method="none",
    )
    assert status == 201, answer
    return client_of(answer)


async def stays(tab: Tab, path: str) -> str:
    """The words of a page of this server that leads nowhere else."""
    page = await tab.get(path)
    assert page.header("location") is None, page.header("location")
    assert "evil.example" not in page.text
    return page.words


async def test_a_refusal_leads_nobody_to_a_strangers_address(front: Front) -> None:
    """Neither before a sign-in nor after one. What a program on the person's own device asked, it hears."""
    client, tab = await stranger(front), front.browser()
    for wrong in REFUSED:
        assert "That request didn't make sense" in await stays(tab, front.asking(client, **wrong)), wrong
        if "response_mode" not in wrong:
            told = said(await tab.get(front.asking(client, redirect_uri=LOCAL, **wrong)))
            assert told["error"], wrong
    await front.person(role_names=("rol_reader",))
    page = await at_consent(front, client, tab, scope="orders:read")
    assert "code" in said(await tab.submit(page, "consent", decision="allow"))
    assert "The person has to agree first" in await stays(tab, front.asking(client, prompt="none"))


async def test_a_refusal_opens_no_program_with_a_command_of_a_strangers_choice(front: Front) -> None:
    """A program that many people have takes commands by its scheme; the browser would name this server as the one that asks."""
    status, answer, _ = await register(front, redirect_uris=[COMMAND], post_logout_redirect_uris=[COMMAND])
    assert status == 201, answer
    client = client_of(answer)
    for wrong in REFUSED[:3]:
        page = await stays(front.browser(), front.asking(client, **wrong))
        assert "That request didn't make sense" in page
    page = await front.browser().get(
        f"/logout?client_id={client.id}&post_logout_redirect_uri={quote(COMMAND)}"
    )
    assert "evil" not in (page.header("location") or "") + page.text


async def test_the_persons_own_answer_is_told(front: Front) -> None:
    await front.person(role_names=("rol_reader",))
    client, tab = await stranger(front), front.browser()
    page = await at_consent(front, client, tab, scope="orders:read")
    answer = await tab.submit(page, "consent", decision="deny")
    assert said(answer)["error"] == "access_denied"


async def test_a_refusal_of_an_operators_app_goes_to_it(front: Front) -> None:
    told = said(await front.browser().get(front.asking(made.client(), prompt="none")))
    assert told["error"] == "login_required"


async def test_a_sign_out_leads_nobody_to_a_strangers_address(front: Front) -> None:
    """Also not with an ID token of the stranger's own; with one of the person who is here it does."""
    await front.person(role_names=("rol_reader",))
    client, own = await stranger(front), front.browser()
    page = await at_consent(front, client, own, scope="openid orders:read")
    code = said(await own.submit(page, "consent", decision="allow"))["code"]
    hint = (await front.redeem(client, code, redirect_uri=CALLBACK))["id_token"]
    asked = f"/logout?client_id={client.id}&post_logout_redirect_uri={OUT}"
    page = await front.browser().get(asked)
    assert "evil" not in (page.header("location") or "") + page.text
    assert (await own.get(f"{asked}&id_token_hint={hint}")).header("location") == OUT
    page = await own.get(f"{asked}&id_token_hint={hint}")
    assert "evil" not in (page.header("location") or "") + page.text
    local = await front.browser().get(asked.replace(OUT, f"{LOCAL}/out"))
    assert (local.header("location") or "").startswith(LOCAL)
