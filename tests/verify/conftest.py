"""Fixtures for the verifier's tests: a running issuer, and tokens minted without one."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from doorward_verify.resource_server import ResourceServer
from doorward_verify.testing import TokenMint, doorward_tokens, minting
from tests.verify.issuer import AUDIENCE, Issuer, running

__all__ = ["doorward_tokens"]


@pytest.fixture
def issuer() -> Generator[Issuer]:
    with running() as started:
        yield started


@pytest.fixture
def serve(issuer: Issuer) -> Generator[Callable[..., ResourceServer]]:
    """A function that creates servers for the running issuer; they are closed after the test."""
    made: list[ResourceServer] = []

    def make(**settings: Any) -> ResourceServer:
        made.append(ResourceServer(issuer.url, AUDIENCE, **{"wait": 3, **settings}))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def tokens(auth: ResourceServer) -> Generator[TokenMint]:
    """Tokens for the resource server that the module calls `auth`."""
    with minting(auth) as mint:
        yield mint
