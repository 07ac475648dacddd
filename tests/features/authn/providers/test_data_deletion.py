"""Requests of Facebook to delete what is held of a person: signed, lately, and done at once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from msgspec import structs

from doorward.core.model.secret import Secret
from doorward.features.authn.providers.services.facebook import FACEBOOK
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward_verify.encoding import b64url_encode
from tests.browsing import Page
from tests.features.authn.providers.at_service import SECRET, AtService, at_service
from tests.stand_ins.facebook import FacebookStandIn
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
ADA: dict[str, Any] = {"id": "10158812345678901", "name": "Ada L."}
DELETION = "/sign-in/provider/facebook/deletion"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[AtService[FacebookStandIn]]:
    async with at_service(FacebookStandIn, "facebook", tmp_path) as opened:
        yield opened


async def connected(there: AtService[FacebookStandIn]) -> Tab:
    """A browser in which Ada is signed in by her account there, which she has connected."""
    tab = there.front.browser()
    page = await there.sign_in(tab, **ADA)
    page = await tab.on(await tab.get("/sign-in/provider/account"))
    page = await tab.on(await tab.submit(page, "account-needed"))
    page = await tab.on(await tab.sign_in_at(page))
    await tab.on(await tab.submit(page, "connect", decision="connect"))
    other = there.front.browser()
    assert (await there.sign_in(other, **ADA)).path == "/account"
    return other


async def asked(there: AtService[FacebookStandIn], signed: str) -> Page:
    return await there.front.browser().ask("POST", DELETION, form={"signed_request": signed})


@pytest.mark.requirement(94)
async def test_the_connection_its_sessions_and_its_address_are_gone(
    there: AtService[FacebookStandIn],
) -> None:
    ada = await there.front.person()
    tab = await connected(there)
    answer = await asked(there, there.service.signed_request(user_id=ADA["id"]))
    assert answer.status == 200
    assert await there.front.store.external_identities.of_account(ada.id) == []
    assert await there.front.store.accounts.factors(ada.id) == []
    assert (await tab.get("/account")).status == 303
    (line,) = await there.front.audited("provider.disconnected")
    assert (line.detail["by"], line.detail["provider"]) == ("provider", "facebook")
    kinds = [one.kind for one in await there.front.store.messages.recent_mail(10)]
    assert "provider_disconnected" in kinds
    # what the person is shown: a page without a name, by an address of this server
    said = msgspec.json.decode(answer.text)
    assert set(said) == {"url", "confirmation_code"}
    parts = urlsplit(said["url"])
    page = await there.front.browser().get(f"{parts.path}?{parts.query}")
    assert page.status == 200
    assert "Facebook asked us for you to delete" in page.words
    assert "Ada" not in page.words
    # a later sign-in begins anew
    page = await there.sign_in(there.front.browser(), **ADA)
    assert page.path.startswith("/sign-in/address?")


async def test_what_waits_for_its_owner_is_gone_too(there: AtService[FacebookStandIn]) -> None:
    tab = there.front.browser()
    page = await there.sign_in(tab, **ADA)
    assert page.path.startswith("/sign-in/address?")
    assert (await asked(there, there.service.signed_request(user_id=ADA["id"]))).status == 200
    # neither the page for an address, nor that for the owner of an account
    assert not (await tab.on(await tab.get(page.path))).path.startswith("/sign-in/address")
    page = await tab.on(await tab.get("/sign-in/provider/account"))
    assert page.path.startswith("/sign-in/provider?")


async def test_a_request_for_nobody_here_and_a_repeated_one_are_confirmed(
    there: AtService[FacebookStandIn],
) -> None:
    """Whether somebody has an account here is not told to the service either."""
    signed = there.service.signed_request(user_id="12")
    first, second = await asked(there, signed), await asked(there, signed)
    assert (first.status, second.status) == (200, 200)
    assert first.text != second.text


@pytest.mark.parametrize(
    "spoiled",
    [
        {"algorithm": "none"},
        {"algorithm": None},
        {"user_id": None},
        {"user_id": 10},
        {"user_id": ""},
        {"issued_at": None},
        {"issued_at": "1"},
        {"issued_at": True},
        {"issued_at": 1},
        # the cookie and the answer of its scripts, which say who is signed in
        {"code": "2.AQDC1d"},
        {"oauth_token": "EAAB"},
    ],
)
def test_a_request_that_says_something_else_is_refused(spoiled: dict[str, Any]) -> None:
    policy = ProviderPolicy.named("facebook", {"client_secret": Secret(SECRET)})
    said = {"algorithm": "HMAC-SHA256", "issued_at": 1_800_000_000, "user_id": "10"}
    assert FACEBOOK.deletion_subject(_signed(said), policy, 1_800_000_000) == "10"
    assert FACEBOOK.deletion_subject(_signed(said), policy, 1_800_000_000 + 86_401) is None
    assert FACEBOOK.deletion_subject(_signed({**said, **spoiled}), policy, 1_800_000_000) is None


@pytest.mark.parametrize("change", ["another secret", "no signature", "no payload", "padded", "long"])
async def test_only_facebook_can_ask(there: AtService[FacebookStandIn], change: str) -> None:
    ada = await there.front.person()
    await connected(there)
    mac, _, payload = there.service.signed_request(user_id=ADA["id"]).partition(".")
    sent = {
        "another secret": f"{_mac(payload, 'another')}.{payload}",
        "no signature": f".{payload}",
        "no payload": f"{mac}.",
        # as its own examples have it
        "padded": f"{mac}=.{payload}",
        "long": f"{mac}.{payload * 40}",
    }[change]
    answer = await asked(there, sent)
    left = await there.front.store.external_identities.of_account(ada.id)
    assert (answer.status, len(left)) == ((200, 0) if change == "padded" else (400, 1))


@pytest.mark.parametrize(
    "code", ["", "1.x.y", "%C3%A9.%C3%A9.%C3%A9", "9" * 5000, "1800000000.AAAA.AAAAAAAAAAAAAAAA"]
)
async def test_a_code_that_was_not_given_out_shows_nothing(
    there: AtService[FacebookStandIn], code: str
) -> None:
    page = await there.front.browser().get(f"/sign-in/provider/facebook/deleted?code={code}")
    assert page.status == 404


@pytest.mark.requirement(90)
async def test_an_account_without_an_address_that_nothing_else_opens_is_deleted(tmp_path: Path) -> None:
    """next-auth#7601: where the operator makes addresses optional, a phone number there is enough for an account. What it holds came from
    there, and nobody could ever sign in to it again."""
    async with at_service(FacebookStandIn, "facebook", tmp_path, address="optional") as there:
        tab = there.front.browser()
        assert (await there.sign_in(tab, **ADA)).path == "/account"
        identity = await there.front.store.external_identities.by_subject(there.service.origin, ADA["id"])
        assert identity is not None
        assert (await asked(there, there.service.signed_request(user_id=ADA["id"]))).status == 200
        assert await there.front.store.accounts.get(identity.account_id) is None
        assert (await tab.get("/account")).status == 303
        (line,) = await there.front.audited("account.deleted")
        assert (line.detail["by"], line.detail["provider"]) == ("provider", "facebook")


def _mac(payload: str, secret: str = SECRET) -> str:
    return b64url_encode(hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest())


def _signed(said: dict[str, Any]) -> str:
    payload = b64url_encode(msgspec.json.encode({name: one for name, one in said.items() if one is not None}))
    return f"{_mac(payload)}.{payload}"


@pytest.mark.requirement(72)
async def test_a_disabled_person_cannot_have_the_account_forgotten(
    there: AtService[FacebookStandIn],
) -> None:
    # with the connection gone the next sign-in there would open a new account
    ada = await there.front.person()
    await connected(there)
    store = there.front.store
    found = await store.accounts.get(ada.id)
    assert found is not None
    disabled = structs.replace(found, disabled_at=there.front.now)
    assert await store.commit(store.accounts.replace(disabled, old=found))
    answer = await asked(there, there.service.signed_request(user_id=ADA["id"]))
    assert (answer.status, msgspec.json.decode(answer.text)["error"]) == (403, "access_denied")
    assert len(await store.external_identities.of_account(ada.id)) == 1
    assert await there.front.audited("provider.disconnected") == []
