"""A server whose factors are all there, with passkeys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.front_channel import Front, front_channel


@asynccontextmanager
async def all_factors(**settings: Any) -> AsyncGenerator[Front]:
    """It is closed at the end."""
    async with front_channel(**settings) as front:
        yield front
