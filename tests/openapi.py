"""OpenAPI document of a server on this machine with every optional route, for comparison with real responses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from doorward.app.routes import openapi_document
from doorward.core.model.secret import Secret
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.settings import load
from doorward.settings.tree import MetricsSettings, Settings

ISSUER = "http://127.0.0.1:9000"


def whole(**settings: str) -> Settings:
    """Settings with which no route is left out."""
    given = {"DOORWARD_ISSUER": ISSUER, "DOORWARD_DEVELOPMENT": "true", **settings}
    return structs.replace(load(None, given), metrics=MetricsSettings(token=Secret("x" * 20)))


def document(features: Sequence[Feature] = FEATURES) -> dict[str, Any]:
    """The document, for tests without an event loop."""
    return asyncio.run(openapi_document(whole(), features=features))
