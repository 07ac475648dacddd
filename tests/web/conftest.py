"""Server on a real socket, as the tests of connections need it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doorward.web.connection_limits import LimitedProtocol
from tests.web.socket_server import Running, serve


@pytest.fixture
def limited() -> Iterator[Running]:
    """With the limits on connections that production has."""
    yield from serve(LimitedProtocol)
