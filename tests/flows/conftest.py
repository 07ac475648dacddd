"""A server that the flows of one file share, and its apps and people."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.flows.browsing import Person
from tests.flows.pieces import Pieces
from tests.flows.running import Running, running
from tests.flows.seeds import PASSWORD, House, seed


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: str | None
) -> Generator[Running]:
    """In this process, on loopback; with https and more settings if the module says so (`HTTPS`, `SECTIONS`). At the end the
    log must contain no error."""
    sections = getattr(request.module, "SECTIONS", None)
    https = getattr(request.module, "HTTPS", False)
    folder = tmp_path_factory.mktemp("server")
    with running(folder, sections=sections, https=https, database=database) as started:
        yield started
        assert started.troubles() == []


@pytest.fixture(scope="module")
def house(server: Running) -> Generator[House]:
    """The apps and people of that server."""
    made = seed(server)
    yield made
    made.close()


@pytest.fixture
def ada(server: Running, house: House) -> Person:
    """Ada, signed in in her browser."""
    person = server.person()
    attempt = house.own.begin()
    house.own.redeem(attempt, person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD))
    return person


@pytest.fixture(scope="module")
def pieces(server: Running, house: House) -> Pieces:
    """Real values of that server, for hostile requests."""
    return Pieces(server, house)
