"""Log remarks about requested scope names that were ignored because nothing defines them."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.adapters.remarks import LoggedRemarks
from doorward.core.model.client import Client
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.features.oauth.clients.rules.scope import ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredScopes:
    """Gets the scope of each accepted request."""

    catalog: CatalogSource
    remarks: LoggedRemarks

    def tell(self, client: Client, scope: str | None) -> None:
        """One log line per app and name, with the nearest scope that the app may request."""
        for left_out in ignored(self.catalog.current(), client, scope):
            name = left_out.name[:80]
            self.remarks.once(
                "scope ignored",
                client.id,
                name,
                app=client.name,
                scope=name,
                nearest=left_out.nearest,
                because="neither OpenID Connect nor any API here defines it (doorward api list)",
            )
