"""Construction of the log remarks about apps."""

from __future__ import annotations

from doorward.features.oauth.clients.ignored_scopes import IgnoredScopes
from doorward.features.services import Services


def ignored_scopes(services: Services) -> IgnoredScopes:
    """The remarks about undefined scopes."""
    return IgnoredScopes(catalog=services.config, remarks=services.remarks)
