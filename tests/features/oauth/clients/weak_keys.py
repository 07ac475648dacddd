"""Weak RSA keys made for the tests: anyone can factor them, and no device ever used them."""

from __future__ import annotations

from math import prod

from cryptography.hazmat.primitives.asymmetric import rsa

from doorward_verify import jwk
from doorward_verify.encoding import b64url_encode

ROCA_PRIMES = (
    (0x205F16198257D6, 0x42C3582A00EB45BB0C381B00021339A4D7F48484522406C45B),
    (0x1CE98DE7700AFA, 0x237DDC01D778B44FD032E8D265D0F70C145D281F6F044C4CAD),
)
"""k and a of two primes k * M + (65537^a mod M), M being the product of the first 126 primes."""
ROCA = int(
    "de9ef0367410f80e78b210e8962831d9ab5642f555e64537b84158971d3cef0250141a8794d8e464b4dd09cf35bca577"
    "e990b1a96664cecc793f85627a8bdd4f9d5f6e3b776b00389d6ee13fcb93ea7c31a43f91484305fb266bd991fd4ec2bb"
    "968b7f7720bdeae1c479463e47b89324925865347349434dd4d994b6d163c64f34e8a3c468cec757091f56b3731f3d5d"
    "f24710cb55d2731616ea976bd881ccb7e274a08bb61fe9350f6cb4c7e86f2ee8555571f9a34382fd8665cdd071396fad"
    "60a84e45e35e340201f887388533fb525cdbfbad9a74fe4039676b89c026b83bfd73021f2897f547b1bd459c25f4ca5a"
    "dcab3dbb5d276b48d05ec2cd9633f20b",
    16,
)
"""Their product, of 2048 bits."""
CLOSE = int(
    "a3506fb58877294171d9be54c9fe3646f0c0ffa904c9a04a3d556cbf89ef0c5586a295f54499d7b908d1aa870795e3b1"
    "9077c5eadc237479ddab842a5e703ba1fe4d26c1a9456fbfcc03b02daabd375a2f44de4177a06346cb6be403741b4dd6"
    "8c4bf53d9f22ef34b6c2ce10a9c0c90205abaf682f898619b5d46559e841b0ccddea8e0c5fee9329757a5853e821c440"
    "c08cd53b5cdc8548ae663860cdd48dca14d5d9af52f3587426bd4ca7276fd6e4b93a18335133e916fbc6fdc92594175a"
    "180f8343238b7c30ea2f0c494ae83fa415a424f54c3ada30bfa6e4baecfedf0687e62376ca7c8df446ca8776eef34060"
    "11b8867fee47bf1c66ef596d9d6dad11",
    16,
)
"""The product of a prime of 1024 bits and the one that follows it."""


def rsa_jwk(modulus: int, exponent: int = 65537) -> dict[str, str]:
    """The public JWK of an RSA modulus."""
    n, e = (
        b64url_encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        for number in (modulus, exponent)
    )
    return {"kty": "RSA", "n": n, "e": e}


def roca_key(kid: str = "card") -> jwk.SigningKey:
    """The full key of `ROCA`, as an attacker computes it by factoring the modulus."""
    product = prod(number for number in range(2, 702) if all(number % least for least in range(2, number)))
    p, q = (k * product + pow(65537, a, product) for k, a in ROCA_PRIMES)
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(65537, ROCA),
    )
    return jwk.signing_key(numbers.private_key(), alg="RS256", kid=kid)
