"""Key strength: keys with a computable private half are refused, honest keys are accepted."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from doorward.features.oauth.clients.rules import key_strength
from doorward_verify import jwk
from doorward_verify.encoding import b64url_encode
from tests.features.oauth.clients.weak_keys import CLOSE, ROCA, ROCA_PRIMES, rsa_jwk

HONEST = rsa.generate_private_key(65537, 2048).public_key()


def test_the_test_vector_is_built_like_the_weak_librarys_primes() -> None:
    # the product of the first 126 primes, for keys of 1984 to 3936 bits
    product = prod(number for number in range(2, 702) if all(number % least for least in range(2, number)))
    for k, a in ROCA_PRIMES:
        assert pow(2, k * product + pow(65537, a, product) - 1, k * product + pow(65537, a, product)) == 1
    assert prod(k * product + pow(65537, a, product) for k, a in ROCA_PRIMES) == ROCA
    assert ROCA.bit_length() == 2048


@pytest.mark.requirement(49)
@pytest.mark.parametrize(
    ("modulus", "said"),
    [(ROCA, "ROCA"), (CLOSE, "close together"), (HONEST.public_numbers().n * 3, "small prime")],
    ids=["ROCA", "close together", "small prime"],
)
def test_a_factorable_modulus_is_detected(modulus: int, said: str) -> None:
    assert said in (key_strength.factorable(modulus) or "")


@pytest.mark.requirement(49)
def test_honest_keys_are_accepted() -> None:
    for bits in (2048, 2048, 2048, 3072):
        key = jwk.verifying_key(rsa.generate_private_key(65537, bits).public_key())
        assert key_strength.weakness(key) is None
    assert (
        key_strength.weakness(jwk.verifying_key(ec.generate_private_key(ec.SECP256R1()).public_key())) is None
    )


@pytest.mark.requirement(49)
def test_a_modulus_that_misses_the_pattern_at_one_prime_is_not_a_roca_key() -> None:
    first = [number for number in range(2, 168) if all(number % least for least in range(2, number))]
    others = prod(first) // 11
    # powers of 65537 modulo 11 are only 1 and 10
    fitting = [modulus for step in range(1, 60) if (modulus := ROCA + 2 * step * others) % 11 in {1, 10}]
    assert any("ROCA" in (key_strength.factorable(modulus) or "") for modulus in fitting)
    unlike = [modulus for step in range(1, 60) if (modulus := ROCA + 2 * step * others) % 11 not in {1, 10}]
    assert not any("ROCA" in (key_strength.factorable(modulus) or "") for modulus in unlike)
    assert any(key_strength.factorable(modulus) is None for modulus in unlike)


@pytest.mark.requirement(49)
@pytest.mark.parametrize(
    ("key", "said"),
    [
        (rsa_jwk(ROCA), "ROCA"),
        (rsa_jwk(CLOSE), "close together"),
        (rsa_jwk(HONEST.public_numbers().n, 3), "exponent is 3"),
        (rsa_jwk(HONEST.public_numbers().n >> 1024 | 1), "2048"),
        ({"kty": "oct", "k": b64url_encode(b"k" * 32)}, "private"),
        ("text", "object"),
    ],
)
def test_a_key_set_with_a_bad_key_is_refused_and_names_the_key(key: Any, said: str) -> None:
    good = jwk.verifying_key(HONEST).public_jwk()
    assert key_strength.first_unusable({"keys": [good]}) is None
    number, reason = key_strength.first_unusable({"keys": [good, key]}) or (0, "")
    assert number == 2
    assert said in reason
