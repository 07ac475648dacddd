"""JSON Web Keys, each bound to one algorithm: RFC 7517, RFC 7518 §6, RFC 8037 §2, thumbprint RFC 7638."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec.json import encode

from doorward_verify.algorithms import ED25519_NAMES, Sign, Verify, sign_with, verify_with
from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192  # one verification with a larger key is a denial of service
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_CURVES: Final[dict[str, tuple[str, ec.EllipticCurve, int]]] = {
    "P-256": ("ES256", ec.SECP256R1(), 32),
    "P-384": ("ES384", ec.SECP384R1(), 48),
    "P-521": ("ES512", ec.SECP521R1(), 66),
}
_CURVE_NAMES: Final = {curve.name: crv for crv, (_, curve, _) in _CURVES.items()}
_RSA_ALGORITHMS: Final = ("RS256", "PS256")


class InvalidKey(ValueError):
    """The key is unusable. The message says why and contains nothing of the key."""


@dataclass(frozen=True, slots=True, eq=False)
class VerifyingKey:
    """A public key with its one algorithm (RFC 8725 §3.1: the key decides the algorithm, not the token)."""

    kid: str
    alg: str
    key: PublicKey
    thumbprint: str
    verify: Verify = field(repr=False)

    def public_jwk(self) -> dict[str, str]:
        """The JWK to publish, RFC 7517 §4. It cannot contain a private member."""
        return {**_members(self.key), "kid": self.kid, "alg": self.alg, "use": "sig"}


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A private key with its one algorithm. Its published form is `public_jwk()`."""

    kid: str
    alg: str
    key: PrivateKey = field(repr=False)
    sign: Sign = field(repr=False)

    def public(self) -> VerifyingKey:
        """The public half."""
        return verifying_key(self.key.public_key(), alg=self.alg, kid=self.kid)

    def public_jwk(self) -> dict[str, str]:
        """The JWK to publish, RFC 7517 §4. It is made from the public key, so it cannot contain a private member."""
        return self.public().public_jwk()

    def private_jwk(self) -> dict[str, str]:
        """The whole key as a JWK, RFC 7518 §6.2.2 and §6.3.2. For encrypted storage only."""
        return {
            **_members(self.key.public_key()),
            **_private_members(self.key),
            "kid": self.kid,
            "alg": self.alg,
        }


def verifying_key(key: PublicKey, *, alg: str | None = None, kid: str | None = None) -> VerifyingKey:
    """Bind a public key to its algorithm. Without `kid`, the RFC 7638 thumbprint is used. Raises `InvalidKey`."""
    name = _algorithm(key, alg)
    print_ = thumbprint(key)
    return VerifyingKey(print_ if kid is None else kid, name, key, print_, verify_with(name, key))


def signing_key(key: PrivateKey, *, alg: str | None = None, kid: str | None = None) -> SigningKey:
    """Bind a private key to its algorithm. Without `kid`, the RFC 7638 thumbprint is used. Raises `InvalidKey`."""
    public = key.public_key()
    name = _algorithm(public, alg)
    return SigningKey(thumbprint(public) if kid is None else kid, name, key, sign_with(name, key))


def parse_public(jwk: Mapping[str, Any]) -> VerifyingKey:
    """Parse a published JWK. Raises `InvalidKey`, also for one with a private member: such a key is compromised."""
    if not PRIVATE_MEMBERS.isdisjoint(jwk):
        raise InvalidKey("a private or symmetric member is published: the key is no secret any more")
    if jwk.get("use", "sig") != "sig":
        raise InvalidKey("the key is not for signatures")
    operations: object = jwk.get("key_ops")
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        raise InvalidKey("key_ops does not allow verification")
    kid, alg = _text_or_none(jwk, "kid"), _text_or_none(jwk, "alg")
    return verifying_key(_public_key(jwk), alg=alg, kid=kid)


def parse_private(jwk: Mapping[str, Any]) -> SigningKey:
    """Parse a private JWK from the server's storage. Raises `InvalidKey`, also when the two halves do not match."""
    kid, alg = _text_or_none(jwk, "kid"), _text_or_none(jwk, "alg")
    public = _public_key(jwk)
    try:
        private = _private_key(jwk, public)
    except InvalidKey:
        raise
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidKey("the private members are not a valid key") from error
    if _members(private.public_key()) != _members(public):
        raise InvalidKey("the private members belong to another key")
    return signing_key(private, alg=alg, kid=kid)


def thumbprint(key: PublicKey) -> str:
    """SHA-256 over the required members in order, RFC 7638 §3."""
    return b64url_encode(sha256(encode(dict(sorted(_members(key).items())))).digest())


def _algorithm(key: PublicKey, alg: str | None) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise InvalidKey(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, this one {key.key_size}")
        allowed: tuple[str, ...] = _RSA_ALGORITHMS
    elif isinstance(key, ec.EllipticCurvePublicKey):
        crv = _CURVE_NAMES.get(key.curve.name)
        if crv is None:
            raise InvalidKey(f"the curve {key.curve.name} is not one of {', '.join(_CURVES)}")
        allowed = (_CURVES[crv][0],)
    else:
        allowed = tuple(sorted(ED25519_NAMES, reverse=True))
    if alg is None:
        # One key has one algorithm, even when the issuer names none: the most common one of the key's type.
        return allowed[0] if not isinstance(key, ed25519.Ed25519PublicKey) else "EdDSA"
    if alg not in allowed:
        raise InvalidKey(f"the key cannot be used with the algorithm it names; its own: {', '.join(allowed)}")
    return alg


def _members(key: PublicKey) -> dict[str, str]:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _unsigned(numbers.n), "e": _unsigned(numbers.e)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        crv = _CURVE_NAMES[key.curve.name]
        size = _CURVES[crv][2]
        point = key.public_numbers()
        return {"kty": "EC", "crv": crv, "x": _fixed(point.x, size), "y": _fixed(point.y, size)}
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(key.public_bytes_raw())}


def _private_members(key: PrivateKey) -> dict[str, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        n = key.private_numbers()
        named = {"d": n.d, "p": n.p, "q": n.q, "dp": n.dmp1, "dq": n.dmq1, "qi": n.iqmp}
        return {name: _unsigned(value) for name, value in named.items()}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"d": _fixed(key.private_numbers().private_value, (key.curve.key_size + 7) // 8)}
    return {"d": b64url_encode(key.private_bytes_raw())}


def _public_key(jwk: Mapping[str, Any]) -> PublicKey:
    kty: object = jwk.get("kty")
    try:
        if kty == "EC":
            crv = _text(jwk, "crv")
            if crv not in _CURVES:
                raise InvalidKey(f"the curve is not one of {', '.join(_CURVES)}")
            _, curve, size = _CURVES[crv]
            x, y = _sized(jwk, "x", size), _sized(jwk, "y", size)
            # refuses a point that is not on the curve (invalid-curve attacks)
            return ec.EllipticCurvePublicNumbers(
                int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve
            ).public_key()
        if kty == "OKP":
            if _text(jwk, "crv") != "Ed25519":
                raise InvalidKey("the curve is not Ed25519")
            return ed25519.Ed25519PublicKey.from_public_bytes(_sized(jwk, "x", 32))
        if kty == "RSA":
            n, e = _number(jwk, "n"), _number(jwk, "e")
            if n.bit_length() > MAX_RSA_BITS or not 3 <= e < 2**32:
                raise InvalidKey("the RSA modulus or exponent is out of bounds")
            return rsa.RSAPublicNumbers(e, n).public_key()
    except InvalidKey:
        raise
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidKey("the members are not a valid public key") from error
    raise InvalidKey("the key type is not EC, OKP or RSA")


def _private_key(jwk: Mapping[str, Any], public: PublicKey) -> PrivateKey:
    if isinstance(public, ec.EllipticCurvePublicKey):
        size = (public.curve.key_size + 7) // 8
        return ec.derive_private_key(int.from_bytes(_sized(jwk, "d", size), "big"), public.curve)
    if isinstance(public, ed25519.Ed25519PublicKey):
        return ed25519.Ed25519PrivateKey.from_private_bytes(_sized(jwk, "d", 32))
    if "oth" in jwk:
        raise InvalidKey("RSA keys of more than two primes are not accepted")
    p, q, d, dp, dq, qi = (_number(jwk, name) for name in ("p", "q", "d", "dp", "dq", "qi"))
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public.public_numbers()).private_key()


def _text_or_none(jwk: Mapping[str, Any], name: str) -> str | None:
    return None if jwk.get(name) is None else _text(jwk, name)


def _text(jwk: Mapping[str, Any], name: str) -> str:
    value: object = jwk.get(name)
    if not isinstance(value, str):
        raise InvalidKey(f"`{name}` is not text")
    return value


def _octets(jwk: Mapping[str, Any], name: str) -> bytes:
    try:
        return b64url_decode(_text(jwk, name))
    except Malformed:
        raise InvalidKey(f"`{name}` is not base64url") from None


def _sized(jwk: Mapping[str, Any], name: str, size: int) -> bytes:
    value = _octets(jwk, name)
    if len(value) != size:
        raise InvalidKey(f"`{name}` has {len(value)} bytes, not {size}")
    return value


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_octets(jwk, name), "big")


def _fixed(number: int, size: int) -> str:
    return b64url_encode(number.to_bytes(size, "big"))


def _unsigned(number: int) -> str:
    return b64url_encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
