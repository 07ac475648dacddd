"""Client-ID metadata document: its address, its content, and how long a copy is fresh (draft-ietf-oauth-client-id-metadata-document)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.web_origin import web_origin
from doorward.features.oauth.clients.rules.self_registered import (
    GRANTS,
    ClientMetadata,
    client_of,
    read,
    refused,
)
from doorward_verify.encoding import Malformed, json_object

LONGEST: Final = 500
"""Characters of an address: it is the `client_id` of every request and in every token."""
MOST_BYTES: Final = 16 * 1024
"""Of a document (R63)."""
METHODS: Final = ("none", "private_key_jwt")
"""There is nobody to give a secret to (R64)."""
SHORTEST_FRESH: Final = 300
FRESH: Final = 3600
LONGEST_FRESH: Final = 86_400
"""Seconds for which a copy is used without asking again: at least, where the answer says nothing, and at most."""
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_MAX_AGE: Final = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_UNCACHED: Final = re.compile(r"(?:^|,)\s*(?:no-store|no-cache)\b", re.IGNORECASE)


def address_problem(url: str) -> str | None:
    """Why a `client_id` cannot be the address of a document (§3): https, a path, no fragment, no user name, no dot segments, written plainly,
    so that one document has one address."""
    if len(url) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if not url.startswith("https://") or not _CHARACTERS.fullmatch(url):
        return "it is no plain https address"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "host or port cannot be read"
    if "@" in parts.netloc:
        return "it has a user name in it"
    if not parts.hostname or web_origin(url) != f"https://{parts.netloc}" or port == 0:
        return "its host is not written plainly"
    if not parts.path or parts.path == "/":
        return "it has no path"
    if any(each in {".", ".."} for each in re.sub("%2e", ".", parts.path, flags=re.IGNORECASE).split("/")):
        return "its path has a . or .. in it"
    return None


def fresh_for(cache_control: str, age: str) -> int:
    """Seconds for which a copy is fresh by the answer's headers (RFC 9111 §4.2), within the bounds above."""
    if _UNCACHED.search(cache_control):
        return SHORTEST_FRESH
    found = _MAX_AGE.search(cache_control)
    lasts = int(found[1]) if found else FRESH
    gone = int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0
    return max(SHORTEST_FRESH, min(LONGEST_FRESH, lasts - gone))


def parse(url: str, body: bytes) -> tuple[dict[str, Any], ClientMetadata] | OAuthError:
    """The document at `url`. Its `client_id` is that address, character by character, and it holds no secret (§4.1, R64)."""
    try:
        document: dict[str, Any] = json_object(body)
    except Malformed:
        return refused("it is no JSON object in which every member stands once")
    named = document.get("client_id")
    if named != url:
        shown = f"{named[:200]!r}" if isinstance(named, str) else "missing"
        return refused(f"its client_id has to be its own address, and is {shown}")
    for name in ("client_secret", "client_secret_expires_at"):
        if name in document:
            return refused(f"it has a {name}, which everybody can read")
    metadata = read(document)
    return metadata if isinstance(metadata, OAuthError) else (document, metadata)


def keys_problem(jwks_uri: str) -> str | None:
    """Why keys may not be fetched from this address."""
    problem = address_problem(jwks_uri)
    return None if problem is None else f"its jwks_uri cannot be used: {problem}"


def client_at(
    url: str,
    document: Mapping[str, Any],
    metadata: ClientMetadata,
    *,
    now: int,
    schemes: Collection[str] = (),
) -> Client | OAuthError:
    """The app of a document; `schemes` are the permitted private-use schemes without a domain."""
    return client_of(
        metadata,
        document,
        client_id=url,
        registered_by="document",
        methods=METHODS,
        grants=GRANTS,
        now=now,
        schemes=schemes,
    )
