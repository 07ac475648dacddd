"""JWS compact serialization: RFC 7515 with the rules of RFC 8725."""

from collections.abc import Collection
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from msgspec import Struct
from msgspec.json import encode

from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode, json_object
from doorward_verify.jwk import SigningKey, VerifyingKey
from doorward_verify.keyset import KeySet, same_algorithm

MAX_TOKEN_CHARS: Final = 16 * 1024
MAX_HEADER_CHARS: Final = 4 * 1024
MAX_KID_CHARS: Final = 512


class Header(Struct, frozen=True):
    """The token's header, RFC 7515 §4.1. `jwk`, `jku`, `x5u`, `x5c` are never read: a token must not supply
    its own key."""

    alg: str
    kid: str | None
    typ: str | None


class Jws(Struct, frozen=True):
    """A token with a valid signature."""

    header: Header
    payload: bytes
    kid: str


class Signer:
    """Signs many payloads under one header that is encoded once, RFC 7515 §5.1."""

    __slots__ = ("_head", "_sign", "key", "typ")

    def __init__(self, key: SigningKey, typ: str) -> None:
        self.key = key
        self.typ = typ
        self._head = b64url_encode(encode({"alg": key.alg, "kid": key.kid, "typ": typ})) + "."
        self._sign = key.sign

    def sign(self, payload: bytes) -> str:
        """Return the compact token with this payload."""
        said = self._head + b64url_encode(payload)
        return f"{said}.{b64url_encode(self._sign(said.encode('ascii')))}"


def sign(payload: bytes, key: SigningKey, *, typ: str) -> str:
    """Sign one compact token, RFC 7515 §5.1."""
    return Signer(key, typ).sign(payload)


def verify(
    token: str,
    keys: KeySet,
    *,
    algorithms: Collection[str],
    types: Collection[str] | None,
    max_chars: int = MAX_TOKEN_CHARS,
) -> Jws:
    """Verify a token with an issuer's public keys, RFC 7515 §5.2. Raises `AuthError`.

    `algorithms` is the caller's allow-list (RFC 8725 §3.1: there is no default). `types` are the accepted values of
    `typ` in lower case, without `application/`; None accepts any, for kinds of token that have no type.
    """
    head, said, body, signature = split(token, max_chars)
    header = parse_header(head)
    check_type(header, types)
    key = choose_key(header, keys, algorithms)
    check_signature(key, signature, said)
    return Jws(header, _segment(body), key.kid)


def split(token: str, max_chars: int = MAX_TOKEN_CHARS) -> tuple[str, str, str, str]:
    """Header, signing input, payload and signature of a compact token, RFC 7515 §7.1. Raises `AuthError`."""
    if type(token) is not str or not token.isascii():
        raise AuthError("malformed", "a token is ASCII text")
    if len(token) > max_chars:
        raise AuthError("malformed", f"the token is longer than {max_chars} characters")
    parts = token.split(".", 5)
    if len(parts) == 5:
        raise AuthError(
            "encrypted", "the token has five parts: it is a JWE, and only signed tokens are accepted"
        )
    if len(parts) != 3:
        raise AuthError("malformed", "a signed token has three parts")
    head, body, signature = parts
    return head, token[: len(head) + len(body) + 1], body, signature


def parse_header(segment: str) -> Header:
    """Parse the protected header, RFC 7515 §4. Raises `AuthError`."""
    if len(segment) > MAX_HEADER_CHARS:
        raise AuthError("malformed", f"the header is longer than {MAX_HEADER_CHARS} characters")
    try:
        members = json_object(b64url_decode(segment))
    except Malformed as error:
        raise AuthError("malformed", f"the header is {error}") from None
    if "crit" in members or "b64" in members:
        # no extension is supported, so every critical one is unknown (RFC 7515 §4.1.11, RFC 7797 §6)
        raise AuthError("critical", "the header asks for an extension that is not supported")
    alg = _optional_text(members, "alg", 64)
    if alg is None:
        raise AuthError("malformed", "the header names no algorithm")
    if alg.strip().lower() == "none":
        raise AuthError("unsigned", "the token is not signed")
    if "enc" in members:
        raise AuthError("encrypted", "the header is that of a JWE, and only signed tokens are accepted")
    return Header(alg, _optional_text(members, "kid", MAX_KID_CHARS), _optional_text(members, "typ", 128))


def check_type(header: Header, types: Collection[str] | None) -> None:
    """Check the explicit type, RFC 8725 §3.11: one kind of token is never accepted as another. Raises `AuthError`."""
    if types is not None and (header.typ or "").lower().removeprefix("application/") not in types:
        raise AuthError("type", f"the token's type is not {' or '.join(sorted(types))}")


def choose_key(header: Header, keys: KeySet, algorithms: Collection[str]) -> VerifyingKey:
    """Return the key that the token names, if the key's algorithm equals the token's and is allowed. Raises `AuthError`."""
    if not any(same_algorithm(header.alg, allowed) for allowed in algorithms) or header.alg.startswith("HS"):
        raise AuthError("algorithm", "the token's algorithm is not allowed here")
    key = keys.find(header.kid, header.alg)
    if key is not None:
        return key
    if header.kid is not None and keys.knows(header.kid):
        raise AuthError("algorithm", "the token's algorithm is not the one of the key that it names")
    raise AuthError("unknown_key", "no key of the issuer has the name that the token gives")


def check_signature(key: VerifyingKey, signature: str, said: str) -> None:
    """Raises `AuthError` when the signature is not valid for this key and signing input."""
    try:
        key.verify(b64url_decode(signature), said.encode("ascii"))
    except Malformed:
        raise AuthError("malformed", "the signature is not base64url") from None
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise AuthError("signature", "the signature does not match") from None


def _segment(text: str) -> bytes:
    try:
        return b64url_decode(text)
    except Malformed:
        raise AuthError("malformed", "a part of the token is not base64url") from None


def _optional_text(members: dict[str, Any], name: str, limit: int) -> str | None:
    if name not in members:
        return None
    value: object = members[name]
    if not isinstance(value, str) or len(value) > limit:
        raise AuthError("malformed", f"the header's `{name}` is not text of a sensible length")
    return value
