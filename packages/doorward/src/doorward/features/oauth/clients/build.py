"""How what is said of apps is built."""

from __future__ import annotations

from doorward.features.oauth.clients.ignored_scopes import IgnoredScopes
from doorward.features.services import Services


def ignored_scopes(services: Services) -> IgnoredScopes:
    """Remarks about scopes that nothing defines."""
    return IgnoredScopes(catalog=services.config, remarks=services.remarks)
