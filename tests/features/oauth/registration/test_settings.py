"""Private-use schemes of editors: permitted by a setting, registered by the app, and used in a whole sign-in (RFC 8252 §7.1)."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from doorward.core.model.section import Surroundings
from doorward.features.oauth.registration.settings import RegistrationPolicy
from tests.coming_apps import at_consent, opened
from tests.features import made
from tests.features.oauth.registration.test_service import client_of, register
from tests.front_channel import Front, front_channel
from tests.tabs import said, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(3, 60)]


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel(registration=RegistrationPolicy(mode="open")) as front:
        await opened(front, "registration")
        yield front


@pytest.mark.requirement(1, 12)
async def test_an_editor_registers_its_scheme_and_a_person_signs_in(front: Front) -> None:
    """What Cursor sends: four addresses in one request, of which one has to be refused for all to fail (agent-connector-for-wp#111)."""
    await front.person(role_names=("rol_reader",))
    uri = "cursor://anysphere.cursor-mcp/oauth/callback"
    status, answer, _ = await register(
        front,
        client_name="Cursor",
        redirect_uris=[
            uri,
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback",
            "grokbot://mcp/oauth/callback",
        ],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    assert status == 201, answer
    assert (answer["application_type"], answer["redirect_uris"][0]) == ("native", uri)
    client, tab = client_of(answer), front.browser()
    page = await tab.get(front.asking(client, redirect_uri=f"{uri}/../x", scope="orders:read"))
    assert page.header("location") is None
    shown = await at_consent(front, client, tab, redirect_uri=uri, scope="orders:read")
    assert "the program on your own device that opens cursor: links" in shown.words
    assert "anysphere" not in shown.words
    answered = await tab.submit(shown, "consent", decision="allow")
    # a page that leads there, since the policy of forms allows no other address
    assert answered.status == 200
    assert sent_to(answered).startswith(f"{uri}?")
    assert "form-action 'self';" in (answered.header("content-security-policy") or "")
    tokens = await front.redeem(client, said(answered)["code"], redirect_uri=uri)
    assert (tokens["status"], tokens["scope"]) == (200, "orders:read")
    assert "refresh_token" in tokens


async def test_a_scheme_that_is_not_on_the_list_is_refused_by_name(front: Front) -> None:
    status, answer, _ = await register(front, redirect_uris=["unheardof://mcp/cb"])
    assert (status, answer["error"]) == (400, "invalid_redirect_uri")
    assert answer["error_description"].startswith("unheardof://mcp/cb needs https")


@pytest.mark.parametrize(
    ("schemes", "told"),
    [
        (("zed", "windsurf"), []),
        ((), []),
        (("mailto",), ['registration.private_schemes holds "mailto", which is opened by browsers']),
        (("Zed://",), ['registration.private_schemes holds "Zed://", which is no scheme']),
        (tuple(f"app{n}" for n in range(51)), ["registration.private_schemes holds 51 schemes"]),
    ],
)
def test_the_setting_names_the_scheme_that_no_app_may_have(schemes: tuple[str, ...], told: list[str]) -> None:
    around = Surroundings(issuer=made.ISSUER, development=False, sends_mail=False, factor_kinds=())
    found = list(RegistrationPolicy(private_schemes=schemes).problems(around))
    assert [each[: len(start)] for each, start in zip(found, told, strict=True)] == told
