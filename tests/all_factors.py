"""A server whose factors are all there, with passkeys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from doorward.features.authn.factors.passkeys.factor import passkey_factors
from doorward.features.authn.factors.passkeys.feature import passkey_routes
from doorward.features.authn.flow.build import offered_factors
from doorward.features.authn.slots import FACTORS
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from tests.front_channel import Front, front_channel

PASSKEYS = Feature(
    name="passkeys of a test",
    routes=passkey_routes,
    adds=(FACTORS.filled_by(lambda services: passkey_factors(services) or ()),),
)


@asynccontextmanager
async def all_factors(**settings: Any) -> AsyncGenerator[Front]:
    """It is closed at the end."""
    async with front_channel() as plain:
        listed = "passkey" in plain.services.get(offered_factors).kinds
    async with front_channel(features=FEATURES if listed else (*FEATURES, PASSKEYS), **settings) as front:
        yield front
