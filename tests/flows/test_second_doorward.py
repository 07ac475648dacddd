"""A second Doorward as the provider: people sign in at one server with their account at another, both as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.admin.apps import NewSecret
from doorward.features.services import Services
from tests.flows.browsing import Page, Person
from tests.flows.running import Running, running
from tests.flows.seeds import PASSWORD, draft, seed

CALLBACK = "/sign-in/provider/example/callback"


def registered(there: Running) -> NewSecret:
    """The other server as an app of the provider; its address is added when it has one."""

    async def work(services: Services) -> NewSecret:
        app = draft("doorward", "web", redirect_uris=("https://not-yet.example/callback",))
        return await services.get(admin.apps).create(os_actor(), app, kind="web")

    return there.operate(work)


def through(person: Person, page: Page, here: Running) -> str:
    """The provider's own pages, to the address of the other server at which they end."""
    for _ in range(5):
        if page.outside:
            assert page.url.startswith(here.issuer), page.url
            return page.url
        if "sign-in" in page.forms:
            page = person.sign_in(page, "ada@example.com", PASSWORD)
        else:
            page = person.press(page, "consent", "allow")
    raise AssertionError(page.words)


@pytest.mark.requirement(89, 91)
def test_people_sign_in_with_their_account_at_another_doorward(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    with running(tmp_path / "there") as there:
        house, app = seed(there), registered(there)
        assert app.secret is not None
        section: dict[str, Any] = {
            "issuer": there.issuer,
            "label": "Example",
            "client_id": app.client.id,
            "client_secret": app.secret.reveal(),
            "email_domains": ["example.com"],
            "domains": ["example.com"],
        }
        with running(tmp_path / "here", sections={"providers.example": section}) as here:
            uri = here.issuer + CALLBACK
            there.operate(
                lambda services: services.get(admin.apps).add_redirect_uri(os_actor(), "doorward", uri)
            )
            visitor, ada = here.person(), there.person()
            left = visitor.press(visitor.open("/sign-in"), "sign-in", identifier="ada@example.com")
            assert left.url.startswith(there.issuer), left.words
            back = through(ada, ada.open(left.url), here)
            page = visitor.open(back)
            assert page.path == "/account", page.words
            assert "ada@example.com" in page.text
            # the answer is good once, and in this browser alone
            assert visitor.open(back).path == "/account"
            assert here.person().open(back).path.startswith("/sign-in")
            # the session there lasts: nothing is asked for again
            again = here.person()
            left = again.press(again.open("/sign-in"), "provider-example")
            back = ada.open(left.url)
            assert back.outside, back.words
            assert again.open(back.url).path == "/account"
            # it has ended there: the provider asks, and the person signs in once more
            ada.press(ada.open("/logout"), "sign-out")
            once_more = here.person()
            left = once_more.press(once_more.open("/sign-in"), "provider-example")
            asked = ada.open(left.url)
            assert "sign-in" in asked.forms, asked.words
            assert once_more.open(through(ada, asked, here)).path == "/account"
            assert here.troubles() == there.troubles() == []
        house.close()
