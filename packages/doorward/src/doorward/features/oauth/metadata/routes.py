"""Metadata at both well-known paths, and public keys (RFC 8414, RFC 7517 §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct, defstruct
from msgspec.json import encode
from msgspec.structs import replace

from doorward.core.ports.keys import TokenSigner
from doorward.features.oauth.client_auth.method import ClientAuth
from doorward.features.oauth.metadata.rules import JwkSet, metadata
from doorward.features.oauth.token.grant_type import GrantType
from doorward.web.http import Request, Response
from doorward.web.route import Operation, Route, machine
from doorward_verify.keyset import KeySet

MAX_AGE: Final = 300
"""Seconds that a copy may be cached. The next key is published long before its first use, so an old copy always contains it (R52)."""


class Published(Struct, kw_only=True):
    """One JSON document, encoded once, with its validator (RFC 9110 §8.8.3)."""

    body: bytes
    kind: bytes
    tag: bytes = b""

    def __post_init__(self) -> None:
        self.tag = b'"%s"' % sha256(self.body).hexdigest()[:32].encode()

    def answer(self, request: Request) -> Response:
        """The document, or 304 if the caller has it already."""
        headers = [(b"cache-control", b"public, max-age=%d" % MAX_AGE), (b"etag", self.tag)]
        known = request.header(b"if-none-match")
        if known is not None and self.tag.decode() in known:
            return Response(304, headers)
        return Response(200, [(b"content-type", self.kind), *headers], self.body)


class MetadataEndpoints(Struct, kw_only=True):
    """GET the two well-known documents and /jwks."""

    document: Published
    signer: TokenSigner
    _keys: KeySet | None = None
    _jwks: Published | None = None

    async def describe(self, request: Request) -> Response:
        """Metadata, one document for both places: OpenID Connect Discovery 1.0 §4.2, RFC 8414 §3.2."""
        return self.document.answer(request)

    async def jwks(self, request: Request) -> Response:
        """Next, current and previous public keys (RFC 7517 §5). They are encoded from public keys, so no private member can be included
        (R53)."""
        keys = self.signer.keys()
        if self._jwks is None or keys is not self._keys:
            self._keys = keys
            self._jwks = Published(body=encode(self.signer.jwks()), kind=b"application/jwk-set+json")
        return self._jwks.answer(request)


def routes(
    *,
    issuer: str,
    locales: Sequence[str],
    grant_types: Sequence[GrantType],
    client_auth: Sequence[ClientAuth],
    levels: Sequence[str],
    signer: TokenSigner,
    more: Sequence[Mapping[str, Any]] = (),
) -> list[Route]:
    """Routes for all callers, from any origin. `more` are members that features add."""
    said: dict[str, object] = metadata(
        issuer,
        locales=locales,
        grant_types=[grant_type.name for grant_type in grant_types],
        endpoints={name: path for one in grant_types for name, path in one.endpoints.items()},
        profiles=[profile for one in grant_types for profile in one.profiles],
        chaining=[type_ for one in grant_types for type_ in one.chaining],
        client_auth=client_auth,
        levels=levels,
    )
    said |= {name: value for members in more for name, value in members.items()}
    endpoints = MetadataEndpoints(
        document=Published(body=encode(said), kind=b"application/json"), signer=signer
    )
    members = [(name, list[str] if isinstance(value, list) else type(value)) for name, value in said.items()]
    about = Operation(cached=True, answers={200: defstruct("Metadata", members)})
    same = replace(about, id="serverMetadata")
    keys = replace(about, answers={200: {"application/jwk-set+json": JwkSet}})
    show = endpoints.describe
    return [
        machine("/.well-known/openid-configuration", "GET", show, cors=True, operation=about),
        machine("/.well-known/oauth-authorization-server", "GET", show, cors=True, operation=same),
        machine("/jwks", "GET", endpoints.jwks, cors=True, operation=keys),
    ]
