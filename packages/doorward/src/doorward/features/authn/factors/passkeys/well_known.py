"""Well-known documents about passkeys, at the root of the origin (Level 3 §5.11; Passkey Endpoints, W3C)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.json import encode

from doorward.web.http import Request, Response
from doorward.web.route import Operation, Route, machine

MAX_AGE: Final = 3600
_HEADERS: Final = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"public, max-age=%d" % MAX_AGE),
]


class RelatedOrigins(Struct, frozen=True):
    """Other origins whose pages may use passkeys of this relying party id."""

    origins: tuple[str, ...]


class PasskeyEndpoints(Struct, frozen=True):
    """Where a password manager sends people to add passkeys and to manage them."""

    enroll: str
    manage: str


def routes(*, issuer: str, enroll: str, manage: str, origins: tuple[str, ...]) -> list[Route]:
    """Both documents; that of the origins only where there are related ones. Browsers read it, so apps' own origins are left out."""
    web = tuple(origin for origin in origins if origin.startswith("https://"))
    places = PasskeyEndpoints(enroll=issuer + enroll, manage=issuer + manage)
    found = [_document("/.well-known/passkey-endpoints", places, id="passkeyEndpoints")]
    if len(web) > 1:
        found.append(_document("/.well-known/webauthn", RelatedOrigins(web), id="relatedOrigins"))
    return found


def _document(path: str, content: Struct, *, id: str) -> Route:  # noqa: A002 - as in Operation
    body = encode(content)

    async def show(request: Request) -> Response:
        """The document."""
        del request
        return Response(200, list(_HEADERS), body)

    about = Operation(answers={200: type(content)}, id=id)
    return machine(path, "GET", show, at_root=True, operation=about)
