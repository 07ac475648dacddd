"""Passkeys in the JSON sign-in of native apps: only those apps may use them that the operator lists."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from tests.all_factors import all_factors
from tests.authenticator import Authenticator
from tests.features.authn.factors.passkeys.served import enrol, use
from tests.features.oauth.first_party.test_challenge_routes import APP, BEGIN, call
from tests.front_channel import Front

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(87)]
ANDROID = "android:apk-key-hash:" + "Ab0_-" * 8 + "xyz"
OTHER_APP = "android:apk-key-hash:" + "Ab0_-" * 8 + "xyZ"
IOS = "https://example.com"
"""The origin of iOS apps: the name to which the passkey is bound, as an address."""


def policy(*related: str) -> PasskeyPolicy:
    return PasskeyPolicy(rp_id="example.com", related_origins=related)


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with all_factors(passkeys=policy(ANDROID, IOS)) as opened:
        await opened.register(APP)
        await opened.person()
        yield opened


async def owned(front: Front, **about: Any) -> Authenticator:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    return await enrol(front, ada, **about)


async def signed_in(front: Front, device: Authenticator, origin: str, **extra: object) -> dict[str, Any]:
    """The answer to a sign-in in an app of this origin."""
    device.origin, device.extra = origin, extra
    begun = await call(front, BEGIN)
    (options,) = [one["options"] for one in begun["acceptable"] if one["step"] == "passkey"]
    assert options["rpId"] == "example.com"
    handle = {"client_id": "app_tv", "auth_session": begun["auth_session"]}
    return await call(front, {**handle, "passkey": device.get(options)})


@pytest.mark.parametrize("origin", [ANDROID, IOS])
async def test_an_app_that_is_listed_signs_in_with_a_passkey(front: Front, origin: str) -> None:
    answer = await signed_in(front, await owned(front), origin)
    assert answer["status"] == 200, answer
    assert (await front.redeem(APP, answer["authorization_code"]))["status"] == 200


@pytest.mark.parametrize(
    "origin",
    [
        OTHER_APP,
        ANDROID.lower(),
        ANDROID + "=",
        ANDROID.removesuffix("z"),
        "android:apk-key-hash-sha256:" + ANDROID.rpartition(":")[2],
        "ios:bundle-id:com.example.app",
        "https://example.com:443",
        "https://app.example.com",
        "http://example.com",
        "null",
        "",
    ],
)
async def test_another_app_is_refused_though_it_has_the_passkey(front: Front, origin: str) -> None:
    answer = await signed_in(front, await owned(front), origin)
    assert answer["error"] == "access_denied"
    (refused,) = await front.audited("passkey.refused")
    assert refused.detail["reason"] == "origin"
    assert await front.store.grants.live_of_account("usr_ada", front.now) == []


@pytest.mark.parametrize("origin", [ANDROID, IOS, "https://example.org"])
async def test_none_is_listed_by_itself(origin: str) -> None:
    async with all_factors(passkeys=policy()) as front:
        await front.register(APP)
        await front.person()
        assert (await signed_in(front, await owned(front), origin))["error"] == "access_denied"


async def test_an_app_opens_no_frames(front: Front) -> None:
    answer = await signed_in(front, await owned(front), ANDROID, crossOrigin=True, topOrigin=ANDROID)
    assert answer["error"] == "access_denied"


@pytest.mark.requirement(73, 88)
async def test_a_passkey_is_added_on_our_own_pages_only(front: Front) -> None:
    # an answer made in a listed app, or on a related site, to the options of our own page
    for origin in (ANDROID, IOS):
        device = Authenticator(origin=origin)
        tab = await front.signed_in()
        page = await tab.get("/account/methods/passkeys")
        found = json.loads(page.text.partition('data-options="')[2].partition('"')[0].replace("&#34;", '"'))
        page = await tab.submit(page, "passkey-new", credential=device.create(found))
        assert page.status == 400
    assert await front.store.passkeys.of_account("usr_ada") == []
    # on the page of the sign-in, a related site's answer is as good as our own: browsers let only listed sites ask
    device = await owned(front)
    device.origin = IOS
    tab = front.browser()
    assert (await use(tab, await tab.get("/sign-in/passkey"), device)).status == 303


async def test_browsers_are_told_of_sites_and_not_of_apps(front: Front) -> None:
    page = await front.browser().get("/.well-known/webauthn")
    assert json.loads(page.text) == {"origins": ["https://auth.example.com", IOS]}
