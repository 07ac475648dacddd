"""Software authenticator of the drive: a passkey as a browser would make and use it (Web Authentication Level 3 §6.3)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

from doorward_demo.demo import clock_and_random

_PRESENT, _VERIFIED, _ELIGIBLE, _BACKED_UP, _CREDENTIAL = 0x01, 0x04, 0x08, 0x10, 0x40
_FLAGS: Final = _PRESENT | _VERIFIED | _ELIGIBLE | _BACKED_UP


class PasskeyHolder:
    """Holds one passkey, and always says that its user unlocked it."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = clock_and_random.token().encode()
        self._owner = b""

    def create(self, options: dict[str, Any]) -> str:
        """The answer to the options of a page that adds a passkey, as JSON."""
        self._owner = _read(options["user"]["id"])
        point = self._key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        data = self._data(options["rp"]["id"], _FLAGS | _CREDENTIAL)
        data += bytes(16) + len(self._id).to_bytes(2, "big") + self._id + cbor.encode(public)
        attested = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(clientDataJSON=client, attestationObject=attested)

    def get(self, options: dict[str, Any]) -> str:
        """The answer to the options of a page that asks for a passkey, as JSON."""
        data = self._data(options["rpId"], _FLAGS)
        client = self._client("webauthn.get", options["challenge"])
        signed = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client, authenticatorData=data, signature=signed, userHandle=self._owner
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        return msgspec.json.encode(
            {"type": kind, "challenge": challenge, "origin": self._origin, "crossOrigin": False}
        )

    def _answer(self, **response: bytes) -> str:
        answer: dict[str, Any] = {
            "id": _text(self._id),
            "rawId": _text(self._id),
            "type": "public-key",
            "response": {name: _text(value) for name, value in response.items()},
            "clientExtensionResults": {},
        }
        if "attestationObject" in response:
            answer["response"]["transports"] = ["internal"]
            answer["clientExtensionResults"] = {"credProps": {"rk": True}}
        return msgspec.json.encode(answer).decode()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
