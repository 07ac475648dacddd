"""Tests of the doctor's check of passkeys."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.finding import Finding
from doorward.core.model.passkey import Passkey
from doorward.features.authn.factors.passkeys.checks import passkeys
from doorward.features.authn.factors.passkeys.metadata import PUBLISHER
from doorward.features.feature import Examined
from doorward.settings import Settings, load
from doorward.storage.sql.store import Store
from tests.features.authn.factors.passkeys.makers import issue, published

pytestmark = pytest.mark.anyio


def settings(folder: Path, issuer: str = "https://auth.example.com", more: str = "") -> Settings:
    path = folder / "doorward.toml"
    path.write_text(f'issuer = "{issuer}"\n[passkeys]\n{more}\n')
    return load(path, {})


async def look(settings: Settings, store: Store) -> Finding:
    sections, issuer = settings.sections, settings.issuer
    return await passkeys(Examined(store=store, sections=sections, issuer=issuer, now=1))


async def stored(store: Store, rp_id: str) -> None:
    row = EnrolledFactor(id="fac_1", account_id="usr_1", kind="passkey", created_at=1)
    passkey = Passkey(
        factor_id="fac_1",
        account_id="usr_1",
        credential_id=b"id",
        public_key=b"key",
        alg=-7,
        sign_count=0,
        aaguid="",
        name="",
    )
    assert await store.commit(
        store.accounts.insert(Account(id="usr_1", email="ada@example.com", created_at=1)),
        store.accounts.add_factor(row),
        store.passkeys.insert(passkey),
        store.put_meta("passkeys.rp_id", rp_id),
    )


async def test_passkeys_are_bound_to_a_name(store: Store, tmp_path: Path) -> None:
    found = await look(settings(tmp_path), store)
    assert (found.ok, found.said, found.fix) == (True, "bound to auth.example.com", "")
    found = await look(settings(tmp_path, more='rp_id = "example.com"'), store)
    assert found.said == "bound to example.com"
    found = await look(settings(tmp_path, more="enabled = false"), store)
    assert (found.ok, found.fix) == (True, "")


async def test_an_issuer_that_is_an_address_can_have_none(store: Store, tmp_path: Path) -> None:
    found = await look(settings(tmp_path, "https://192.0.2.1"), store)
    assert found.ok
    assert "address" in found.said
    assert 'issuer = "https://' in found.fix


async def test_passkeys_of_another_name_are_a_fault(store: Store, tmp_path: Path) -> None:
    await stored(store, "former.example.com")
    found = await look(settings(tmp_path), store)
    assert not found.ok
    assert "former.example.com" in found.said
    assert "rp_id_was" in found.fix


async def test_metadata_that_cannot_be_read_is_a_fault(store: Store, tmp_path: Path) -> None:
    (tmp_path / "blob.jwt").write_text("no file of the service")
    found = await look(settings(tmp_path, more=f'metadata = "{tmp_path / "blob.jwt"}"'), store)
    assert not found.ok
    assert "metadata" in found.said


@pytest.mark.parametrize("allowed", ["", 'allowed_aaguids = ["01020304-0506-0708-090a-0b0c0d0e0f10"]'])
async def test_an_overdue_file_is_a_warning_or_a_fault_where_it_is_needed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: str
) -> None:
    authority, authorities, path = issue("Authority"), tmp_path / "authorities.pem", tmp_path / "blob.jwt"
    authorities.write_bytes(authority[0].public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    for day in ("1969-12-31", "1970-01-02"):
        path.write_bytes(published(signer=issue(PUBLISHER, authority), next_update=day))
        found = await look(settings(tmp_path, more=f'metadata = "{path}"\n{allowed}'), store)
        if day.startswith("1969"):
            assert "promised a newer one by 1969-12-31" in found.said
            assert "Download the file again" in found.fix
            assert found.ok != bool(allowed)
        else:
            assert (found.ok, found.fix) == (True, "")


async def test_an_issuer_with_a_path_hears_of_the_root(store: Store, tmp_path: Path) -> None:
    found = await look(settings(tmp_path, "https://example.com/auth"), store)
    assert found.ok
    assert "/.well-known/passkey-endpoints" in found.fix
