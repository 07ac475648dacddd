"""Token Status List (draft-ietf-oauth-status-list): status list tokens as JWT, §5.1 and §8."""

import zlib
from collections.abc import Collection
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, ValidationError, convert

from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import SAFE_INTEGER, Malformed, b64url_decode, json_object
from doorward_verify.jws import verify
from doorward_verify.keyset import KeySet

MAX_LIST_TOKEN_CHARS: Final = 4 * 1024 * 1024
MAX_LIST_BYTES: Final = 16 * 1024 * 1024
VALID: Final = 0
INVALID: Final = 1
SUSPENDED: Final = 2

Seconds = Annotated[int, Meta(ge=0, le=SAFE_INTEGER)]


class StatusListUnavailable(LookupError):
    """The list has no usable answer: it is too old, or has no such entry. The message says which."""


class StatusReference(Struct, frozen=True):
    """The `status_list` member of a token's `status` claim, §6.2."""

    idx: Seconds
    uri: str


class _List(Struct, frozen=True):
    bits: Literal[1, 2, 4, 8]
    lst: str


class _Claims(Struct, frozen=True):
    sub: str
    iat: Seconds
    status_list: _List
    iss: str | None = None
    exp: Seconds | None = None
    ttl: Annotated[int, Meta(gt=0, le=SAFE_INTEGER)] | None = None


class StatusList(Struct, frozen=True):
    """A list fetched at `fetched_at` that may be used until `usable_until` (seconds, exclusive; None: no limit)."""

    uri: str
    bits: int
    statuses: bytes
    usable_until: float | None

    def get(self, idx: int, now: float) -> int:
        """The status of one entry, §8.3: 0 valid, 1 invalid, 2 suspended. Raises `StatusListUnavailable`."""
        if self.usable_until is not None and now >= self.usable_until:
            raise StatusListUnavailable("the status list is past its ttl or exp")
        per_byte = 8 // self.bits
        if not 0 <= idx < len(self.statuses) * per_byte:
            raise StatusListUnavailable("the status list has no such entry")
        byte = self.statuses[idx // per_byte]
        return (byte >> (idx % per_byte) * self.bits) & ((1 << self.bits) - 1)


def parse_status_list(
    token: str, keys: KeySet, *, uri: str, algorithms: Collection[str], now: float, leeway: int = 0
) -> StatusList:
    """Verify and unpack a status list token that was fetched from `uri` at `now`. Raises `AuthError`.

    It must have the type `statuslist+jwt` and the issuer's signature, and its `sub` must be the URI that the referenced
    token names (§8.3): the list of another URI would describe other tokens. Unpacking stops at 16 MiB.
    """
    if len(token) > MAX_LIST_TOKEN_CHARS:
        raise AuthError(
            "malformed", f"the status list token is longer than {MAX_LIST_TOKEN_CHARS} characters"
        )
    jws = verify(token, keys, algorithms=algorithms, types={"statuslist+jwt"}, max_chars=MAX_LIST_TOKEN_CHARS)
    try:
        claims = convert(json_object(jws.payload), _Claims)
        packed = b64url_decode(claims.status_list.lst)
    except ValidationError as error:
        raise AuthError("claims", f"a claim is missing or of the wrong type: {error}") from None
    except Malformed as error:
        raise AuthError("malformed", f"the status list is {error}") from None
    if claims.sub != uri:
        raise AuthError("claims", "the status list is of another URI")
    if claims.iss is not None and claims.iss != keys.issuer:
        raise AuthError("issuer", "the status list is of another issuer")
    if claims.exp is not None and now >= claims.exp + leeway:
        raise AuthError("expired", "the status list has expired")
    if claims.iat > now + leeway:
        raise AuthError("not_yet_valid", "the status list is of the future")
    limits = [float(claims.exp)] if claims.exp is not None else []
    if claims.ttl is not None:
        limits.append(now + claims.ttl)
    return StatusList(uri, claims.status_list.bits, _inflate(packed), min(limits) if limits else None)


def _inflate(packed: bytes) -> bytes:
    engine = zlib.decompressobj()
    try:
        data = engine.decompress(packed, MAX_LIST_BYTES + 1)
    except zlib.error:
        raise AuthError("malformed", "the status list is not DEFLATE in the ZLIB format") from None
    if len(data) > MAX_LIST_BYTES:
        raise AuthError("malformed", f"the status list unpacks to more than {MAX_LIST_BYTES} bytes")
    if not engine.eof or engine.unused_data:
        raise AuthError("malformed", "the status list is cut short or has something behind it")
    return data
