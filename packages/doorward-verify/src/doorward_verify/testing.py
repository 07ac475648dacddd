"""pytest plugin that gives test tokens to an API's test suite: really signed, no network, a frozen clock.

The fixture `doorward_tokens` is a function: `tokens = doorward_tokens(auth)` pins the app's own `ResourceServer` to a
test key and a frozen clock until the test ends, and returns a `TokenMint`. Other runners use `doorward_verify.minting`.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack

import pytest

from doorward_verify.minting import LIFETIME, FrozenClock, TokenMint, minting
from doorward_verify.resource_server import ResourceServer

__all__ = ["LIFETIME", "FrozenClock", "TokenMint", "doorward_tokens", "minting"]


@pytest.fixture
def doorward_tokens() -> Generator[Callable[..., TokenMint]]:
    """A function that pins a `ResourceServer` until the test ends and returns a `TokenMint` for it."""
    with ExitStack() as stack:

        def pin(auth: ResourceServer, *, now: int | None = None) -> TokenMint:
            return stack.enter_context(minting(auth, now=now))

        yield pin
