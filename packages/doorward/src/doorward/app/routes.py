"""Routes of one server, and the OpenAPI document that describes them all."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from msgspec import structs
from msgspec.json import encode

from doorward.adapters.hashing.breached_list import NothingListed
from doorward.adapters.keys.secret_key import new_secret
from doorward.app.container import Container, open_container
from doorward.core.model.secret import Secret
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.oauth.metadata.routes import Published
from doorward.features.oauth.slots import CLIENT_AUTH
from doorward.features.services import Services
from doorward.settings.tree import KeySettings, Settings
from doorward.web.http import Request, Response
from doorward.web.route import Operation, Route, machine


def routes(container: Container) -> list[Route]:
    """Every path of the server."""
    return [route for _, route in _by_feature(container)]


def _by_feature(container: Container) -> list[tuple[str, Route]]:
    """The routes of all features, and /openapi.json, whose document is built at the first request."""
    document: list[Published] = []

    async def show(request: Request) -> Response:
        """This description (OpenAPI 3.1)."""
        if not document:
            body = encode(_describe(found, container.services))
            document.append(Published(body=body, kind=b"application/json"))
        return document[0].answer(request)

    operation = Operation(id="openapi", cached=True, answers={200: dict[str, Any]})
    own = machine("/openapi.json", "GET", show, cors=True, operation=operation)
    features, services = container.features, container.services
    found = [(feature.name, route) for feature in features for route in feature.routes(services)]
    found.append(("openapi", own))
    return found


async def openapi_document(settings: Settings, *, features: Sequence[Feature] = FEATURES) -> dict[str, Any]:
    """The document that a server with these settings serves at /openapi.json. Opens no database, key or file."""
    alone = structs.replace(
        settings,
        database=":memory:",
        cache=None,
        keys=KeySettings(secret_key=Secret(b64encode(new_secret()).decode())),
    )
    opened = await open_container(settings=alone, features=features, breached=NothingListed())
    async with aclosing(opened) as container:
        return _describe(_by_feature(container), container.services)


def _describe(found: Sequence[tuple[str, Route]], services: Services) -> dict[str, Any]:
    # imported here: most processes never need it
    from doorward.web.openapi.document import describe

    methods = services.added(CLIENT_AUTH)
    credentials = [name for method in methods for name in method.credentials]
    if "client_assertion" in credentials:
        # required together with the assertion (RFC 7521 §4.2)
        credentials.append("client_assertion_type")
    schemes = {method.scheme: method.name for method in methods if method.scheme is not None}
    return describe(found, issuer=services.issuer, credentials=credentials, schemes=schemes)
