"""The directory of these tests: OpenLDAP with Bob alone."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.slapd import GROUPS, PEOPLE, Slapd, person, slapd


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Slapd]:
    with slapd(tmp_path_factory.mktemp("corp")) as server:
        yield server


@pytest.fixture
def corp(_server: Slapd) -> Generator[Slapd]:
    """The directory with Bob alone."""
    _server.add(person("bob", mail="bob@example.com", cn="Bob Builder", givenName="Bob"))
    yield _server
    for dn in _server.dns(f"(|(entryDN:dnSubtreeMatch:={PEOPLE})(entryDN:dnSubtreeMatch:={GROUPS}))"):
        if dn not in {PEOPLE, GROUPS}:
            _server.delete(dn)
