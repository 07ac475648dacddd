"""The file of the FIDO Metadata Service: whose it is, and what it says."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from fido2.webauthn import AttestationObject

from doorward.features.authn.factors.passkeys.metadata import (
    PUBLISHER,
    AuthenticatorMetadata,
    BadMetadata,
    system_roots,
)
from tests.features.authn.factors.passkeys.makers import Issued, described, issue, published

pytestmark = pytest.mark.anyio
DOCUMENT = json.loads((Path(__file__).parents[4] / "vectors/webauthn3.json").read_text())
ROOT = bytes.fromhex(DOCUMENT["attestation_ca_cert"])
MADE = AttestationObject(
    bytes.fromhex(
        next(one for one in DOCUMENT["vectors"] if one["section"] == "16.7")["registration"][
            "attestationObject"
        ]
    )
)
assert MADE.auth_data.credential_data is not None
AAGUID = MADE.auth_data.credential_data.aaguid
CHAIN = tuple(MADE.att_stmt["x5c"])
AUTHORITY = issue("Authority")
SIGNER = issue(PUBLISHER, AUTHORITY)


def entry(status: str = "FIDO_CERTIFIED_L1", **changes: Any) -> dict[str, Any]:
    return described(str(AAGUID), ROOT, status) | changes


def blob(*entries: dict[str, Any], signer: Issued = SIGNER) -> bytes:
    return published(*entries, signer=signer)


def metadata(folder: Path, content: bytes) -> AuthenticatorMetadata:
    path = folder / "blob.jwt"
    path.write_bytes(content)
    return AuthenticatorMetadata(path=str(path), roots=lambda: [AUTHORITY[0].public_bytes(Encoding.DER)])


async def test_an_authenticator_of_the_file_is_trusted_with_its_makers_certificates(tmp_path: Path) -> None:
    known = metadata(tmp_path, blob(entry()) + b"\n")
    assert known.trust(AAGUID, CHAIN) == "unknown"
    await known.load()
    assert known.trust(AAGUID, CHAIN) == "trusted"
    assert known.trust(AAGUID, ()) == "unknown"
    assert known.trust(AAGUID, (SIGNER[0].public_bytes(Encoding.DER),)) == "unknown"
    assert known.trust(b"x" * 16, CHAIN) == "unknown"
    assert known.trust(bytes(16), CHAIN) == "unknown"


@pytest.mark.parametrize("protection", [["software"], ["software", "remote_handle"]])
async def test_a_maker_who_names_no_hardware_vouches_for_none(tmp_path: Path, protection: list[str]) -> None:
    """docs/incidents/0063-software-called-hardware.md"""
    described = entry()
    described["metadataStatement"]["keyProtection"] = protection
    known = metadata(tmp_path, blob(described))
    await known.load()
    assert known.trust(AAGUID, CHAIN) == "software"


@pytest.mark.parametrize("status", ["REVOKED", "USER_VERIFICATION_BYPASS", "ATTESTATION_KEY_COMPROMISE"])
async def test_a_revoked_or_broken_authenticator_is_refused(tmp_path: Path, status: str) -> None:
    known = metadata(tmp_path, blob(entry(status)))
    await known.load()
    assert known.trust(AAGUID, CHAIN) == "revoked"


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    known = metadata(tmp_path, blob(entry()))
    await known.load()
    Path(known.path).write_bytes(blob(entry("REVOKED")))
    os.utime(known.path, ns=(1, 1))
    await known.load()
    assert known.trust(AAGUID, CHAIN) == "revoked"


async def test_after_the_promised_day_nobody_is_vouched_for_and_broken_models_stay_refused(
    tmp_path: Path,
) -> None:
    """FIDO Metadata Service 3.0 §3.1.6 `nextUpdate`: what was revoked since is in no file that is older."""
    day = datetime(2027, 1, 1, tzinfo=UTC)
    last, late = int((day + timedelta(hours=23)).timestamp()), int((day + timedelta(days=1)).timestamp())
    known = metadata(tmp_path, published(entry(), signer=SIGNER, next_update="2027-01-01"))
    assert known.overdue(late) is None, "nothing was read yet"
    await known.load()
    assert (known.overdue(last), known.overdue(late)) == (None, day.date())
    assert (known.trust_at(last)(AAGUID, CHAIN), known.trust_at(late)(AAGUID, CHAIN)) == (
        "trusted",
        "unknown",
    )
    broken = metadata(tmp_path, published(entry("REVOKED"), signer=SIGNER, next_update="2027-01-01"))
    await broken.load()
    assert broken.trust_at(late)(AAGUID, CHAIN) == "revoked"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no file of the service",
        b"e30.e30.",
        blob(entry())[:-9],
        blob(entry(), signer=issue("evil.example", AUTHORITY)),
        blob(entry(), signer=issue(PUBLISHER)),
        blob(entry(aaguid="no id")),
    ],
)
async def test_only_the_publishers_own_file_is_believed(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadMetadata):
        await metadata(tmp_path, content).load()


async def test_a_file_that_is_gone_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await AuthenticatorMetadata(path=str(tmp_path / "none")).load()
    assert all(isinstance(root, bytes) for root in system_roots())
