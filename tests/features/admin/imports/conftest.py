"""A desk on a store of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.features.admin.managing import Desk, opened


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    """The administration services, with a role that everybody gets and one that is given."""
    async with opened() as made:
        yield made
