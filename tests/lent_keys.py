"""RSA keys that servers of the tests share, instead of one that each makes and checks for itself.

To find the primes of a key takes 40 ms of processor time, and to open it as long again, because its primes are checked: more than all else
that a server in memory does at its start. A key's `kid` is its row's id, so that two servers with one key are as different as before. One
server gets sixteen different keys before the first comes again.

tests/adapters and programs that are started as programs make their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from doorward.adapters.keys import signing
from doorward.core.model.config_snapshot import RSA_BITS
from doorward_verify import jwk

_SHARED = 16
_made: list[rsa.RSAPrivateKey] = []
_by_modulus: dict[str, rsa.RSAPrivateKey] = {}
_turns = count()
_parse_private = jwk.parse_private


def share(patched: pytest.MonkeyPatch) -> None:
    """Let the servers of this process, and their forks, share keys until `patched` is undone."""
    patched.setattr(signing, "rsa", _Shared)
    patched.setattr(jwk, "parse_private", _opened)


class _Shared:
    """What `signing` uses of the library's module."""

    @staticmethod
    def generate_private_key(*, public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        """The next of the shared keys."""
        assert key_size == RSA_BITS
        turn = next(_turns) % _SHARED
        if turn == len(_made):
            key = rsa.generate_private_key(public_exponent=public_exponent, key_size=key_size)
            _made.append(key)
            _by_modulus[jwk.signing_key(key, alg="RS256").public_jwk()["n"]] = key
        return _made[turn]


def _opened(given: Mapping[str, Any]) -> jwk.SigningKey:
    """A key from the storage; a shared one is known, and its primes need no second check."""
    known = _by_modulus.get(str(given.get("n")))
    if known is None or given != jwk.signing_key(known, alg="RS256", kid=given["kid"]).private_jwk():
        return _parse_private(given)
    return jwk.signing_key(known, alg="RS256", kid=given["kid"])


def make_all() -> None:
    """Make every key now, for processes that are forked later."""
    for _ in range(_SHARED):
        _Shared.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
