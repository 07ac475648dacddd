"""A server whose factors are all there, with passkeys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from doorward.features.authn.flow.build import offered_factors
from tests.front_channel import Front, front_channel


@asynccontextmanager
async def all_factors(**settings: Any) -> AsyncGenerator[Front]:
    """It is closed at the end."""
    async with front_channel(**settings) as front:
        assert {"password", "totp", "passkey", "security_key"} <= front.services.get(offered_factors).kinds
        yield front
