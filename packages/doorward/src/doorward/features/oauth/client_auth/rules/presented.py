"""Which credential does a request present? (OAuth 2.1 §2.4.1, RFC 7521 §4.2)

Reading comes before judging: exactly one way of authentication may be used in a request (RFC 6749 §2.3).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from msgspec import Struct

from doorward.core.errors import Refusal
from doorward.core.model.client import ClientAuthMethod
from doorward.core.model.secret import Secret
from doorward_verify.encoding import Malformed, b64url_decode, json_object

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FAILED: Final = "Client authentication failed."
_MAX_TEXT: Final = 512
_UNREADABLE: Final = "the Authorization header is not base64 of client_id:client_secret"
_MAX_ASSERTION: Final = 16_384


class Presented(Struct, frozen=True):
    """A client's credential, read and not yet judged. `secret` or `assertion` is set as `method` says."""

    method: ClientAuthMethod
    client_id: str
    secret: Secret | None = None
    assertion: Secret | None = None


def read(authorization: str | None, form: Mapping[str, str]) -> Presented | Refusal:
    """The one credential of a request, from its Authorization header and its form fields."""
    if authorization is not None:
        if "client_secret" in form or "client_assertion" in form:
            return Refusal("invalid_request", "Use one way of client authentication only.")
        presented = _basic(authorization)
        named = form.get("client_id")
        if isinstance(presented, Presented) and named is not None and named != presented.client_id:
            return Refusal("invalid_request", "client_id differs from the one in the Authorization header.")
        return presented
    if "client_assertion" in form or "client_assertion_type" in form:
        if "client_secret" in form:
            return Refusal("invalid_request", "Use one way of client authentication only.")
        return _assertion(form)
    client_id = form.get("client_id", "")
    if not client_id:
        return Refusal(
            "invalid_client", "Client authentication is missing.", "no credential and no client_id"
        )
    if len(client_id) > _MAX_TEXT:
        return Refusal("invalid_client", FAILED, "an oversized client_id")
    secret = form.get("client_secret")
    if secret is None:
        return Presented("none", client_id)
    if len(secret) > _MAX_TEXT:
        return Refusal("invalid_client", FAILED, "an oversized client_secret")
    return Presented("client_secret_post", client_id, Secret(secret))


def _basic(header: str) -> Presented | Refusal:
    """RFC 6749 §2.3.1: id and secret are form-encoded each before they are joined and put into Basic (RFC 7617)."""
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return Refusal(
            "invalid_client", "Only Basic client authentication works in this header.", "another scheme"
        )
    try:
        text = a2b_base64(coded.strip().encode("ascii"), strict_mode=True).decode("utf-8")
        client_id, colon, secret = text.partition(":")
        if "%" in text or "+" in text:
            client_id = unquote_plus(client_id, errors="strict")
            secret = unquote_plus(secret, errors="strict")
    except (Base64Error, UnicodeError):
        return Refusal("invalid_client", FAILED, _UNREADABLE)
    if not colon or not client_id or len(text) > 2 * _MAX_TEXT or "\x00" in client_id:
        return Refusal("invalid_client", FAILED, _UNREADABLE)
    return Presented("client_secret_basic", client_id, Secret(secret))


def _assertion(form: Mapping[str, str]) -> Presented | Refusal:
    if form.get("client_assertion_type") != JWT_BEARER:
        return Refusal("invalid_request", f"client_assertion_type must be {JWT_BEARER}.")
    assertion = form.get("client_assertion", "")
    subject = _subject(assertion)
    if subject is None:
        return Refusal("invalid_client", FAILED, "the client assertion is not a JWT with a subject")
    # RFC 7521 §4.2: client_id is optional, and must name the same client where it stands.
    if form.get("client_id", subject) != subject:
        return Refusal("invalid_client", FAILED, "client_id differs from the assertion's subject")
    return Presented("private_key_jwt", subject, assertion=Secret(assertion))


def _subject(assertion: str) -> str | None:
    """Whom the assertion claims to speak for, before anything about it is believed: it only chooses whose keys are tried."""
    parts = assertion.split(".", 3)
    if len(parts) != 3 or len(assertion) > _MAX_ASSERTION:
        return None
    try:
        claims: dict[str, Any] = json_object(b64url_decode(parts[1]))
    except Malformed:
        return None
    subject = claims.get("sub")
    return subject if isinstance(subject, str) and 0 < len(subject) <= _MAX_TEXT else None
