"""Attacks by programs on a person's own device: another app's address at localhost."""

from __future__ import annotations

import pytest

from doorward.features.oauth.registration.settings import RegistrationPolicy
from tests.coming_apps import at_consent, opened
from tests.features import made
from tests.front_channel import front_channel
from tests.tabs import said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(1, 12)]
HERE = "http://localhost/callback"


async def test_a_program_that_listens_in_an_apps_place_is_named_and_its_code_is_worth_nothing() -> None:
    async with front_channel(registration=RegistrationPolicy(mode="open")) as front:
        await opened(front, "registration")
        await front.person(role_names=("rol_reader",))
        native = made.public(
            id="app_cli",
            name="cli",
            redirect_uris=(HERE,),
            native=True,
            first_party=True,
            id_token_signed_alg="ES256",
        )
        await front.register(native)
        tab = front.browser()
        await tab.sign_in()
        uri = "http://localhost:31337/callback"
        # nobody is asked without a page, whoever the app belongs to, and consent given before does not count
        silent = await tab.get(front.asking(native, redirect_uri=uri, prompt="none"))
        assert said(silent)["error"] == "consent_required"
        for _ in range(2):
            shown = await at_consent(front, native, tab, redirect_uri=uri)
            assert "localhost:31337" in shown.words
            assert "on your own device" in shown.words
            code = said(await tab.submit(shown, "consent", decision="allow"))["code"]
            # the code of the app's own request, received by another program, which lacks the verifier
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri}
            for wrong in ({}, {"code_verifier": "x" * 43}):
                stolen = await front.token(native, {**form, **wrong})
                assert (stolen["status"], stolen["error"]) == (400, "invalid_grant")


async def test_an_app_in_a_browser_has_no_other_port_and_no_other_host() -> None:
    async with front_channel() as front:
        spa = made.public(redirect_uris=(HERE,))
        await front.register(spa)
        for uri in (
            "http://localhost:31337/callback",
            "http://localhost.evil.example/callback",
            "http://127.0.0.1/callback",
        ):
            assert (await front.browser().get(front.asking(spa, redirect_uri=uri))).status == 400
