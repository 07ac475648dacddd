"""Documents of a trusted issuer: its metadata, from which only the address of its keys is taken, and its keys (RFC 8414 §3, RFC 7517 §5)."""

from __future__ import annotations

import re
from typing import Final

from doorward.features.oauth.clients.rules import key_strength
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jwk import InvalidKey
from doorward_verify.keyset import KeySet, key_set, parse_jwks

WELL_KNOWN: Final = "/.well-known/openid-configuration"
KEPT: Final = 3600
"""Seconds for which keys are kept whose answer says nothing."""
LEAST: Final = 60
MOST: Final = 86_400
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})")
_NOT_KEPT: Final = re.compile(r"(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])")
_MAX_URL: Final = 2000


class BadIssuerDocument(ValueError):
    """The document cannot be used. The text says why, and is safe to log."""


def discovery_url(issuer: str) -> str:
    """Where the metadata of an issuer is (OpenID Connect Discovery §4.1), which all four presets have."""
    return issuer.rstrip("/") + WELL_KNOWN


def jwks_uri_of(issuer: str, document: bytes) -> str:
    """The address of the keys. The document's `issuer` must be identical: with any other, one issuer could speak for another (§4.3).
    Whether the address may be called is decided where it is called. Raises `BadIssuerDocument`."""
    try:
        members = json_object(document)
    except Malformed as problem:
        raise BadIssuerDocument(f"its metadata is {problem}") from None
    if members.get("issuer") != issuer:
        named = repr(members.get("issuer"))[:200]
        raise BadIssuerDocument(f"its metadata names the issuer {named}, and {issuer!r} is registered")
    uri: object = members.get("jwks_uri")
    if not isinstance(uri, str) or not 0 < len(uri) <= _MAX_URL or not uri.isascii() or not uri.isprintable():
        raise BadIssuerDocument("its metadata has no jwks_uri")
    return uri


def keys_of(issuer: str, document: bytes) -> KeySet:
    """The usable keys: those whose private half can be computed are left out. Raises `BadIssuerDocument`."""
    try:
        found = parse_jwks(issuer, document)
    except InvalidKey as problem:
        raise BadIssuerDocument(f"its keys cannot be read: {problem}") from None
    usable = [key for key in found.keys if key_strength.broken(key) is None]
    if not usable:
        raise BadIssuerDocument("its key set has no usable key for signatures")
    return key_set(issuer, usable)


def kept_for(cache_control: str) -> int:
    """Seconds for which an answer with this Cache-Control is kept (RFC 9111 §5.2.2), within bounds: not asked for each token, and at
    least once a day."""
    said = cache_control.lower()
    if _NOT_KEPT.search(said):
        return LEAST
    found = _MAX_AGE.search(said)
    return KEPT if found is None else min(max(int(found[1]), LEAST), MOST)
