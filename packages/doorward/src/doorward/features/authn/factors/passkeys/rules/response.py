"""JSON forms of a browser's answer (Level 3 §5.1: RegistrationResponseJSON, AuthenticationResponseJSON)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec
from msgspec import Struct, field

MAX_RESPONSE: Final = 16_384
"""Characters of the whole answer; one with a TPM's certificate chain has about 8,000."""
MAX_CREDENTIAL_ID: Final = 1023
"""Bytes (§4: Credential ID)."""
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")
_TRANSPORT: Final = re.compile(r"[a-z-]{1,20}")
_MAX_TRANSPORTS: Final = 8


class _Attestation(Struct, frozen=True):
    client_data: str = field(name="clientDataJSON")
    attestation_object: str = field(name="attestationObject")
    transports: tuple[str, ...] = ()


class _CredProps(Struct, frozen=True):
    rk: bool | None = None


class _Extensions(Struct, frozen=True):
    cred_props: _CredProps | None = field(name="credProps", default=None)


class _RegistrationJSON(Struct, frozen=True):
    raw_id: str = field(name="rawId")
    type: str
    response: _Attestation
    extensions: _Extensions = field(name="clientExtensionResults", default_factory=_Extensions)


class _Assertion(Struct, frozen=True):
    client_data: str = field(name="clientDataJSON")
    authenticator_data: str = field(name="authenticatorData")
    signature: str
    user_handle: str | None = field(name="userHandle", default=None)


class _AssertionJSON(Struct, frozen=True):
    raw_id: str = field(name="rawId")
    type: str
    response: _Assertion


class RegistrationResponse(Struct, frozen=True, kw_only=True):
    """A new credential as sent by the browser. `discoverable` as reported by the extension credProps, None if not reported."""

    credential_id: bytes
    client_data: bytes
    attestation_object: bytes
    transports: tuple[str, ...] = ()
    discoverable: bool | None = None


class AssertionResponse(Struct, frozen=True, kw_only=True):
    """A use of a credential as sent by the browser."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None = None


def registration_response(text: str) -> RegistrationResponse | None:
    """The answer to a creation; None if it is not one."""
    if len(text) > MAX_RESPONSE:
        return None
    try:
        read = msgspec.json.decode(text, type=_RegistrationJSON)
        if read.type != "public-key":
            return None
        props = read.extensions.cred_props
        return RegistrationResponse(
            credential_id=_id(read.raw_id),
            client_data=unpadded(read.response.client_data),
            attestation_object=unpadded(read.response.attestation_object),
            transports=tuple(sorted(set(filter(_TRANSPORT.fullmatch, read.response.transports))))[
                :_MAX_TRANSPORTS
            ],
            discoverable=None if props is None else props.rk,
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def assertion_response(text: str) -> AssertionResponse | None:
    """The answer to a request; None if it is not one."""
    if len(text) > MAX_RESPONSE:
        return None
    try:
        read = msgspec.json.decode(text, type=_AssertionJSON)
        if read.type != "public-key":
            return None
        handle = read.response.user_handle
        return AssertionResponse(
            credential_id=_id(read.raw_id),
            client_data=unpadded(read.response.client_data),
            authenticator_data=unpadded(read.response.authenticator_data),
            signature=unpadded(read.response.signature),
            # a key that stores no user sends an empty handle in some browsers
            user_handle=unpadded(handle) if handle else None,
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _id(text: str) -> bytes:
    read = unpadded(text)
    if not 1 <= len(read) <= MAX_CREDENTIAL_ID:
        raise ValueError("credential id")
    return read


def unpadded(text: str) -> bytes:
    """Base64url without padding, in its one canonical form (RFC 4648 §5). Raises ValueError for anything else."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        read = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as exc:
        raise ValueError("not base64url") from exc
    if padless(read) != text:
        raise ValueError("not canonical base64url")
    return read


def padless(raw: bytes) -> str:
    """The same text again."""
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
