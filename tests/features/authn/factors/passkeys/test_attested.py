"""Levels of hardware over HTTP: keys whose makers vouch for them, by the operator's file, and keys of which nobody does."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.core.model.passkey import Passkey
from doorward.features.authn.factors.passkeys.metadata import PUBLISHER
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from tests.all_factors import all_factors
from tests.authenticator import Authenticator
from tests.features import made
from tests.features.authn.factors.passkeys.makers import Maker, described, issue, published
from tests.features.authn.factors.passkeys.owners import device
from tests.features.authn.factors.passkeys.served import enrol
from tests.features.authn.factors.passkeys.test_routes import added, use
from tests.features.authn.test_toys import claims_of
from tests.front_channel import PASSWORD, Front
from tests.logged import captured
from tests.tabs import Tab, said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(87)]
AAL2, AAL3 = "urn:doorward:aal2", "urn:doorward:aal3"
ADDED = {200, 303}
"""The page with recovery codes after the first factor; otherwise the page of sign-in methods."""
AAGUID = bytes(range(1, 17))
MODEL = "01020304-0506-0708-090a-0b0c0d0e0f10"
MAKER = Maker.of("Sound Keys", AAGUID)
SOFT_AAGUID = bytes(range(17, 33))
SOFT_MODEL = "11121314-1516-1718-191a-1b1c1d1e1f20"
SOFT = Maker.of("Sound Software", SOFT_AAGUID)
"""Its keys are kept by software, as it says itself."""
FORGER = Maker.of("Sound Keys", AAGUID)
AUTHORITY = issue("Authority")
OWN = made.client(id="app_own", name="own", first_party=True)


def key(maker: Maker | None = MAKER, **about: Any) -> Authenticator:
    """A key that is carried along, of this model."""
    attest = None if maker is None else maker.attest
    aaguid = SOFT_AAGUID if maker is SOFT else AAGUID
    return device(aaguid=aaguid, synced=False, transports=("usb",), attest=attest, **about)


@pytest.fixture
def blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's file; the machine trusts its publisher."""
    authorities, path = tmp_path / "authorities.pem", tmp_path / "fido.jwt"
    authorities.write_bytes(AUTHORITY[0].public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    models = described(MODEL, MAKER.root), described(SOFT_MODEL, SOFT.root, protection="software")
    path.write_bytes(published(*models, signer=issue(PUBLISHER, AUTHORITY)))
    return path


@pytest.fixture
async def front(blob: Path) -> AsyncGenerator[Front]:
    async with all_factors(passkeys=PasskeyPolicy(metadata=str(blob))) as opened:
        await opened.register(OWN)
        await opened.person()
        yield opened


async def stored(front: Front) -> Passkey:
    (found,) = await front.store.passkeys.of_account("usr_ada")
    return found


async def claims(front: Front, level: str, owned: Authenticator, *, password: bool) -> dict[str, Any]:
    """What the access token says after a sign-in for which the app asked this level."""
    tab = front.browser()
    page = await tab.on(await tab.get(front.asking(OWN, acr_values=level)))
    if password:
        page = await tab.on(
            await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
        )
    else:
        page = await tab.get(f"/sign-in/passkey?flow={page.forms['sign-in'].fields['flow']}")
    return await finished(front, tab, await use(tab, page, owned))


async def finished(front: Front, tab: Tab, page: Any) -> dict[str, Any]:
    answer = await front.redeem(OWN, said(await tab.on(page))["code"])
    assert answer["status"] == 200, answer
    return claims_of(answer["access_token"])


@pytest.mark.requirement(38)
async def test_an_attested_key_that_verified_its_user_reaches_the_highest_level(front: Front) -> None:
    owned = key()
    assert (await added(front, owned)).status in ADDED
    assert (await stored(front)).attestation == "verified"
    for password in (False, True):
        token = await claims(front, AAL3, owned, password=password)
        assert token["acr"] == AAL3
        assert {"hwk", "user", "mfa"} <= set(token["amr"])


@pytest.mark.requirement(38)
async def test_after_a_password_a_touch_of_an_attested_key_is_hardware_and_no_more(front: Front) -> None:
    owned = key(verified=False)
    await added(front, owned)
    assert (await claims(front, "phrh", owned, password=True))["acr"] == "phrh"
    assert (await claims(front, AAL3, owned, password=True))["acr"] != AAL3


@pytest.mark.parametrize("maker", [None, FORGER, SOFT])
async def test_a_key_of_which_no_maker_says_that_hardware_keeps_it_counts_for_less(
    front: Front, maker: Maker | None
) -> None:
    owned = key(maker)
    assert (await added(front, owned)).status in ADDED
    assert (await stored(front)).attestation == ("none" if maker is None else "unverified")
    for level in ("phrh", AAL3):
        token = await claims(front, level, owned, password=True)
        assert token["acr"] not in {"phrh", AAL3}
        assert "hwk" not in token["amr"]
    assert (await claims(front, "phr", owned, password=True))["acr"] == "phr"


async def test_a_changed_statement_adds_nothing(front: Front) -> None:
    def changed(data: bytes, digest: bytes) -> dict[str, Any]:
        return MAKER.attest(data + b"\0", digest)

    owned = key(None)
    owned.attest = changed
    assert (await added(front, owned)).status == 400
    assert await front.store.passkeys.of_account("usr_ada") == []


async def test_only_named_models_that_prove_it_where_the_operator_wants_so(blob: Path) -> None:
    policy = PasskeyPolicy(metadata=str(blob), allowed_aaguids=(MODEL,))
    async with all_factors(passkeys=policy) as front:
        await front.person()
        for refused in (key(None), key(FORGER), device(attest=Maker.of("Others", bytes(16)).attest)):
            assert (await added(front, refused)).status == 400
        assert (await added(front, key())).status in ADDED
        assert (await stored(front)).attestation == "verified"


@pytest.mark.requirement(38)
async def test_a_session_without_hardware_steps_up_with_the_key(front: Front) -> None:
    phone = device()
    await added(front, phone)
    tab = front.browser()
    page = await use(tab, await tab.get("/sign-in/passkey"), phone)
    assert page.header("location") == "/account"
    # nobody knows which keys a person has until they use one: the page asks for a passkey again, and a better one is enough
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    owned = await enrol(front, ada, aaguid=AAGUID, synced=False, transports=("usb",), attest=MAKER.attest)
    page = await tab.on(await tab.get(front.asking(OWN, acr_values=AAL3)))
    assert page.path.startswith("/sign-in/passkey"), page.words
    assert (await finished(front, tab, await use(tab, page, owned)))["acr"] == AAL3


async def test_the_metadata_names_the_levels_that_keys_can_reach_here(front: Front) -> None:
    for server, best in ((front, ["phr", "phrh", AAL3]), (None, ["phr"])):
        if server is None:
            async with all_factors() as plain:
                page = await plain.browser().get("/.well-known/openid-configuration")
        else:
            page = await server.browser().get("/.well-known/openid-configuration")
        assert json.loads(page.text)["acr_values_supported"] == ["urn:doorward:aal1", AAL2, *best]


@pytest.mark.parametrize("allowed", [(), (MODEL,)])
async def test_by_an_overdue_file_no_key_is_vouched_for(blob: Path, allowed: tuple[str, ...]) -> None:
    models = described(MODEL, MAKER.root)
    blob.write_bytes(published(models, signer=issue(PUBLISHER, AUTHORITY), next_update="2020-01-01"))
    async with all_factors(passkeys=PasskeyPolicy(metadata=str(blob), allowed_aaguids=allowed)) as front:
        await front.person()
        with captured() as logs:
            answer = await added(front, key())
        assert ("passkeys.metadata_overdue", "2020-01-01") in [
            (one["event"], one.get("promised")) for one in logs
        ]
        if allowed:
            assert answer.status == 400
            assert await front.store.passkeys.of_account("usr_ada") == []
        else:
            assert answer.status in ADDED
            assert (await stored(front)).attestation == "unverified"
