"""The system without a socket, seen from four sides: account pages, authorization server, token services, administration.

A module that names apps in `APPS` has them registered at the authorization server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from doorward.core.model.account import Account
from tests.features.admin.managing import Desk, opened
from tests.features.oauth.logout.back_channel import BackChannel, back_channel
from tests.front_channel import Front, front_channel
from tests.people import House, open_house


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    """Account pages, and the services behind them."""
    async with open_house() as accounts:
        yield accounts


@pytest.fixture
async def front(request: pytest.FixtureRequest) -> AsyncGenerator[Front]:
    """The complete server; browsers use it."""
    async with front_channel() as server:
        if apps := getattr(request.module, "APPS", ()):
            await server.register(*apps)
        yield server


@pytest.fixture
async def front_account(front: Front) -> Account:
    """Ada, who can sign in at `front`."""
    return await front.person()


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    """The services that apps call: tokens, introspection, revocation, userinfo."""
    async with back_channel() as services:
        yield services


@pytest.fixture
async def channel_account(channel: BackChannel) -> Account:
    """Ada, for whom `channel` issues tokens."""
    return await channel.person()


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    """The administration services."""
    async with opened() as services:
        yield services
