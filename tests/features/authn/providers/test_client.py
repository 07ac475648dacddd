"""Authentication of this server at a provider, and what it may be configured to leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorward.features.authn.providers.build import identity_providers
from doorward.features.authn.providers.documents import ProviderDocuments
from doorward.features.authn.providers.openid import OpenIdProvider
from doorward.features.authn.providers.provider import ProviderUnavailable
from doorward_verify.jwk import signing_key
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.front_channel import front_channel
from tests.upstream import CLIENT_ID

pytestmark = pytest.mark.anyio


def documents_of(there: Journey) -> ProviderDocuments:
    """Metadata and keys of the provider."""
    provider = there.front.services.get(identity_providers)["example"]
    assert isinstance(provider, OpenIdProvider)
    return provider.documents


async def test_the_secret_may_be_sent_in_the_body(tmp_path: Path) -> None:
    async with journey(tmp_path, client_auth="client_secret_post") as there:
        assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"


async def test_a_key_may_take_the_place_of_the_secret(tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = tmp_path / "key.pem"
    pem.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    how = {"client_auth": "private_key_jwt", "client_key_file": str(pem), "client_secret": None}
    async with journey(tmp_path, **how) as there:
        there.provider.client_keys = [signing_key(private)]
        assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"
        await there.sign_in(there.front.browser(), **BOB)
        first, second = there.provider.assertions
        assert (first["iss"], first["sub"], first["aud"]) == (CLIENT_ID, CLIENT_ID, there.provider.issuer)
        assert first["exp"] - first["iat"] == 60
        assert first["jti"] != second["jti"]


@pytest.mark.parametrize(("without", "missing"), [("pkce", "code_challenge"), ("nonce", "nonce")])
async def test_a_provider_without_pkce_or_nonce_works_by_its_own_settings(
    tmp_path: Path, without: str, missing: str
) -> None:
    how: dict[str, Any] = {without: False}
    async with journey(tmp_path, **how) as there:
        tab = there.front.browser()
        url = await there.leave(tab)
        assert missing not in there.provider.asked(url)
        assert (await tab.on(await tab.get(there.provider.approved(url, **BOB)))).path == "/account"


async def test_only_the_algorithms_of_the_settings_are_accepted(tmp_path: Path) -> None:
    async with journey(tmp_path, signing_algs=("RS256",)) as there:
        page = await there.sign_in(there.front.browser(), **BOB)
        assert "didn't work" in (page.problem or "")


@pytest.mark.requirement(63)
async def test_a_provider_cannot_lead_this_server_into_its_own_network(tmp_path: Path) -> None:
    """The operator named the issuer's host. A host that only the metadata names has to be public."""
    async with journey(tmp_path) as there:
        port = there.provider.issuer.rpartition(":")[2]
        there.provider.metadata_spoiled = {"jwks_uri": f"https://127.0.0.1:{port}/keys"}
        documents = documents_of(there)
        with pytest.raises(ProviderUnavailable, match="not public"):
            await documents.keys()
    async with journey(tmp_path, private_hosts=("127.0.0.1",)) as there:
        port = there.provider.issuer.rpartition(":")[2]
        there.provider.metadata_spoiled = {"jwks_uri": f"https://127.0.0.1:{port}/keys"}
        documents = documents_of(there)
        # the address is allowed now; the certificate is for another name
        with pytest.raises(ProviderUnavailable, match="certificate is not trusted"):
            await documents.keys()


@pytest.mark.requirement(51)
async def test_metadata_of_another_issuer_is_refused(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        there.provider.metadata_spoiled = {"issuer": f"{there.provider.issuer}/"}
        with pytest.raises(ProviderUnavailable, match="the settings name"):
            await documents_of(there).metadata()


@pytest.mark.requirement(50)
async def test_documents_are_used_on_while_the_provider_is_down(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        documents = documents_of(there)
        await documents.keys()
        there.provider.down = True
        there.front.clock.time += 3601
        assert (await documents.keys()).knows("k1")
        asked = len(there.provider.calls)
        assert (await documents.keys()).knows("k1")
        assert len(there.provider.calls) == asked
        there.front.clock.time += 86_400
        with pytest.raises(ProviderUnavailable):
            await documents.keys()


async def test_where_there_is_no_provider_there_is_no_button_and_no_page() -> None:
    async with front_channel() as front:
        tab = front.browser()
        assert "Continue with" not in (await tab.get("/sign-in")).words
        for path in ("/sign-in/provider", "/sign-in/provider/example/callback", "/account/methods/providers"):
            assert (await tab.get(path)).status == 404
