"""Token feature: the token endpoint, its grants and the client authentication methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature, Routes, Services
from doorward.features.oauth.slots import CLIENT_AUTH, GRANTS
from doorward.features.slots import ACTIVITY, MESSAGES

if TYPE_CHECKING:
    from doorward.features.oauth.client_auth.method import ClientAuth
    from doorward.features.oauth.token.grant_type import GrantType
    from doorward.features.slots import ActivityKind
    from doorward.web.mail.message import MessageTemplate


def _routes(services: Services) -> Routes:
    from doorward.features.oauth.token import routes
    from doorward.features.oauth.token.build import token_service

    return routes.routes(
        tokens=services.get(token_service),
        clock=services.clock,
        issuer=services.issuer,
        grant_types=services.added(GRANTS),
    )


def _grants(services: Services) -> Sequence[GrantType]:
    from doorward.features.oauth.index import GRANT_TYPES

    del services
    return GRANT_TYPES


def _client_auth(services: Services) -> Sequence[ClientAuth]:
    from doorward.features.oauth.index import CLIENT_AUTH_METHODS

    del services
    return CLIENT_AUTH_METHODS


def _activity(services: Services) -> Sequence[ActivityKind]:
    from doorward.features.oauth import index

    del services
    return index.ACTIVITY_KINDS


def _messages(services: Services) -> Sequence[type[MessageTemplate]]:
    from doorward.features.oauth import index

    del services
    return index.MESSAGES


TOKEN = Feature(
    name="oauth.token",
    routes=_routes,
    adds=(
        GRANTS.filled_by(_grants),
        CLIENT_AUTH.filled_by(_client_auth),
        ACTIVITY.filled_by(_activity),
        MESSAGES.filled_by(_messages),
    ),
)
