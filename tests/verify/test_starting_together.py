"""An API that starts while its issuer is not there yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from doorward_verify.resource_server import ResourceServer
from tests.verify.issuer import Issuer

Serve = Callable[..., ResourceServer]


def test_an_api_that_starts_before_its_issuer_waits_for_it(issuer: Issuer, serve: Serve) -> None:
    """The port of an issuer that is starting refuses connections: the first attempts fail at once."""
    server = serve(wait=20)
    issuer.dead = True

    async def lived() -> str:
        asyncio.get_running_loop().call_later(0.3, setattr, issuer, "dead", False)
        async with server.lifespan():
            assert server.ready
            return server.verify(issuer.token()).sub

    assert not server.ready
    assert asyncio.run(lived()) == "usr_1"
