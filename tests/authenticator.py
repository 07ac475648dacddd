"""Software authenticator for tests: makes and uses passkeys with every flag, honest or not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
ORIGIN = "https://auth.example"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(kw_only=True)
class Credential:
    """One credential of the authenticator."""

    rp_id: str
    user_handle: bytes
    key: ec.EllipticCurvePrivateKey
    id: bytes
    count: int = 0


@dataclass(kw_only=True)
class Authenticator:
    """An authenticator with ES256 keys. `verified` and `present` are what it says of its user; `counts`: it has a counter, otherwise it
    sends 0; `synced`: backed up, and so eligible for it. `extra` are members that the client adds to the client data. `attest` makes the
    statement of format `packed`, from authenticator data and the digest of the client data; None: there is no attestation."""

    origin: str = ORIGIN
    verified: bool = True
    present: bool = True
    synced: bool = True
    eligible: bool | None = None
    counts: bool = False
    aaguid: bytes = bytes(16)
    transports: Sequence[str] = ("internal", "hybrid")
    extra: Mapping[str, Any] = field(default_factory=dict)
    attest: Callable[[bytes, bytes], Mapping[str, Any]] | None = None
    credentials: list[Credential] = field(default_factory=list)

    def create(self, options: Mapping[str, Any], *, silently: bool = False) -> str:
        """Answer creation options (Level 3 §6.3.2), with an attestation if they ask for one. `silently`: without presence and verification."""
        made = Credential(
            rp_id=options["rp"]["id"],
            user_handle=unb64(options["user"]["id"]),
            key=ec.generate_private_key(ec.SECP256R1()),
            id=os.urandom(32),
        )
        self.credentials.append(made)
        flags = self._flags() & (~(UP | UV) if silently else 0xFF)
        data = self._data(made, flags | AT) + self.aaguid + len(made.id).to_bytes(2, "big") + made.id
        data += cbor.encode(cose_key(made.key))
        client = self._client("webauthn.create", options["challenge"])
        attested = cbor.encode(self._attested(data, client, options.get("attestation", "none")))
        return json.dumps(
            {
                "id": b64(made.id),
                "rawId": b64(made.id),
                "type": "public-key",
                "authenticatorAttachment": "platform",
                "response": {
                    "clientDataJSON": b64(client),
                    "attestationObject": b64(attested),
                    "transports": list(self.transports),
                },
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )

    def get(self, options: Mapping[str, Any], **changes: Any) -> str:
        """Answer request options (Level 3 §6.3.3) with the newest credential that they permit. `changes` replace members of the
        response afterwards, as bytes."""
        allowed = {unb64(one["id"]) for one in options.get("allowCredentials") or ()}
        made = [
            one
            for one in self.credentials
            if one.rp_id == options["rpId"] and (not allowed or one.id in allowed)
        ][-1]
        if self.counts:
            made.count += 1
        data = self._data(made, self._flags())
        client = self._client("webauthn.get", options["challenge"])
        signature = made.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": client,
            "authenticatorData": data,
            "signature": signature,
            "userHandle": made.user_handle,
        } | changes
        return json.dumps(
            {
                "id": b64(made.id),
                "rawId": b64(made.id),
                "type": "public-key",
                "response": {
                    name: value if value is None else b64(value) for name, value in response.items()
                },
                "clientExtensionResults": {},
            }
        )

    def _attested(self, data: bytes, client: bytes, asked: str) -> dict[str, Any]:
        if asked == "none" or self.attest is None:
            return {"fmt": "none", "attStmt": {}, "authData": data}
        statement = dict(self.attest(data, hashlib.sha256(client).digest()))
        return {"fmt": "packed", "attStmt": statement, "authData": data}

    def _flags(self) -> int:
        eligible = self.synced if self.eligible is None else self.eligible
        return UP * self.present | UV * self.verified | BE * eligible | BS * self.synced

    def _data(self, made: Credential, flags: int) -> bytes:
        return hashlib.sha256(made.rp_id.encode()).digest() + bytes([flags]) + made.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data | dict(self.extra), separators=(",", ":")).encode()


def cose_key(key: ec.EllipticCurvePrivateKey) -> dict[int, Any]:
    """The public key as COSE (RFC 9053 §7.1.1)."""
    numbers = key.public_key().public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
