"""Rate of token verification in an API, compared with the bare signature check and with PyJWT.

Rounds in turn, each with tokens that were never used before. A ratio is the median of the rounds' ratios, so
that a slow moment of the machine affects all sides.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.tokens import AUDIENCE, ISSUER, Mint, Minted, fresh_copies
from doorward_verify import ResourceServer

_Given = TypeVar("_Given")
_ECDSA = ec.ECDSA(hashes.SHA256())
_COLD_TOKENS = 1000
_WARM_TOKENS = 500
_WARM_COPIES = 20


@dataclass(frozen=True, slots=True)
class Rates:
    """Median rates a second, and the medians of the ratios of each round."""

    raw: float
    doorward_cold: float
    doorward_warm: float
    pyjwt: float
    cold_vs_raw: float
    cold_vs_pyjwt: float
    warm_vs_pyjwt: float
    rounds: int


def _timed(check: Callable[[_Given], object], given: Sequence[_Given]) -> float:
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        for one in given:
            check(one)
        return len(given) / (time.perf_counter() - began)
    finally:
        gc.enable()


def measure(seconds: float) -> Rates:
    """Measure all three sides in turn for about `seconds`, at least five rounds.

    The key is in memory on every side, and PyJWT receives its fastest input: a key object instead of a PEM.
    """
    mint = Mint()
    key = mint.public_key
    auth = ResourceServer(ISSUER, AUDIENCE, jwks=mint.jwks())
    decoder = jwt.PyJWT()

    def raw(token: Minted) -> None:
        key.verify(token.der, token.signed, _ECDSA)

    def pyjwt(text: str) -> dict[str, Any]:
        return decoder.decode(text, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)

    often = [token.text for token in mint.mint(_WARM_TOKENS)]
    for text in often:
        assert auth.verify(text).sub == pyjwt(text)["sub"]
    rounds: list[tuple[float, float, float, float]] = []
    until = time.perf_counter() + seconds
    while len(rounds) < 5 or time.perf_counter() < until:
        tokens = mint.mint(_COLD_TOKENS)
        texts = [token.text for token in tokens]
        again = fresh_copies(often, _WARM_COPIES)
        found: dict[str, float] = {}
        sides: list[tuple[str, Callable[[], float]]] = [
            ("raw", lambda tokens=tokens: _timed(raw, tokens)),
            ("cold", lambda texts=texts: _timed(auth.verify, texts)),
            ("pyjwt", lambda texts=texts: _timed(pyjwt, texts)),
            ("warm", lambda again=again: _timed(auth.verify, again)),
        ]
        turn = len(rounds) % len(sides)
        for name, side in sides[turn:] + sides[:turn]:
            found[name] = side()
        rounds.append((found["raw"], found["cold"], found["warm"], found["pyjwt"]))
    return Rates(
        raw=statistics.median(row[0] for row in rounds),
        doorward_cold=statistics.median(row[1] for row in rounds),
        doorward_warm=statistics.median(row[2] for row in rounds),
        pyjwt=statistics.median(row[3] for row in rounds),
        cold_vs_raw=statistics.median(row[1] / row[0] for row in rounds),
        cold_vs_pyjwt=statistics.median(row[1] / row[3] for row in rounds),
        warm_vs_pyjwt=statistics.median(row[2] / row[3] for row in rounds),
        rounds=len(rounds),
    )
