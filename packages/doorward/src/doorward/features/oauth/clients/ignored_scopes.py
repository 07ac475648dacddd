"""Scope names that were left out of a request because nothing here defines them, told to the operator."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.adapters.remarks import LoggedRemarks
from doorward.core.model.client import Client
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.features.oauth.clients.rules.scope import ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredScopes:
    """Told the scope of each request that was accepted."""

    catalog: CatalogSource
    remarks: LoggedRemarks

    def tell(self, client: Client, scope: str | None) -> None:
        """One line in the log for each name of an app, with the nearest that it may ask for."""
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
