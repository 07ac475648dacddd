"""Weak public keys of apps: those whose private half can be computed, or that are weaker than necessary (R49).

Only RSA leaves such choices to the maker of a key. The key size is checked by the parser (`doorward_verify.jwk`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import gcd, isqrt, prod
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import rsa

from doorward_verify.jwk import InvalidKey, VerifyingKey, parse_public

LEAST_EXPONENT: Final = 65_537
"""FIPS 186-5 §5.1: with a smaller one, careless verifiers accept forged signatures."""
_CLOSE: Final = 100
"""Steps of Fermat's method, which finds two primes that were chosen close together."""


_SMALL: Final = tuple(n for n in range(2, 702) if all(n % divisor for divisor in range(2, isqrt(n) + 1)))
"""The first 126 primes."""
_PRODUCT: Final = prod(_SMALL)


@lru_cache(maxsize=1)
def _powers() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each of the first 39 primes the powers of 65537 modulo it, if these are not all possible residues of a modulus."""
    told: list[tuple[int, frozenset[int]]] = []
    for prime in _SMALL[:39]:
        reached = frozenset(pow(LEAST_EXPONENT, n, prime) for n in range(prime - 1))
        if len(reached) < prime - 1:
            told.append((prime, reached))
    return tuple(told)


def factorable(modulus: int) -> str | None:
    """The reason why this RSA modulus can be factored, or None.

    ROCA (CVE-2017-15361; Nemec, Sys, Svenda, Klinec, Matyas, "The Return of Coppersmith's Attack", ACM CCS 2017, §2): a library of
    smart cards and TPMs made primes of the form k * M + (65537^a mod M), where M is the product of the first 39, 71, 126 or 225
    primes, depending on the key size. The modulus is then a power of 65537 modulo each of them, too; fewer than one in a hundred
    million other keys have this property.
    """
    if gcd(modulus, _PRODUCT) != 1:
        return "it can be divided by a small prime"
    if all(modulus % prime in reached for prime, reached in _powers()):
        return (
            "it was made by a library whose keys can be factored (ROCA, CVE-2017-15361): "
            "make a new key outside the smart card or TPM, or update the device first"
        )
    middle = isqrt(modulus - 1) + 1
    for number in range(middle, middle + _CLOSE):
        rest = number * number - modulus
        if isqrt(rest) ** 2 == rest:
            return "its two primes lie so close together that it can be factored (Fermat's method)"
    return None


def broken(key: VerifyingKey) -> str | None:
    """The reason why the private half of this key can be computed, or None."""
    return factorable(key.key.public_numbers().n) if isinstance(key.key, rsa.RSAPublicKey) else None


def weakness(key: VerifyingKey) -> str | None:
    """The reason why this key is not registered, or None."""
    if isinstance(key.key, rsa.RSAPublicKey) and key.key.public_numbers().e < LEAST_EXPONENT:
        return f"its exponent is {key.key.public_numbers().e}; it should be {LEAST_EXPONENT}"
    return broken(key)


def first_unusable(jwks: Mapping[str, Any]) -> tuple[int, str] | None:
    """The first unusable key of an app's JWK Set, counted from 1, and its problem; None when all are usable."""
    for number, key in enumerate(cast("list[Any]", jwks.get("keys") or []), 1):
        try:
            if not isinstance(key, Mapping):
                raise InvalidKey("it is not an object")
            found = weakness(parse_public(cast("Mapping[str, Any]", key)))
        except InvalidKey as error:
            found = str(error)
        if found is not None:
            return number, found
    return None
