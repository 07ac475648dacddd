"""Log remarks about requested scope names that were ignored because nothing defines them."""

from __future__ import annotations

from doorward.adapters.remarks import LoggedRemarks
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Catalog
from doorward.features.oauth.clients.rules.scope import ignored


def note_ignored(remarks: LoggedRemarks, catalog: Catalog, client: Client, scope: str | None) -> None:
    """One log line per app and name of an accepted request, with the nearest scope that the app may request."""
    for left_out in ignored(catalog, client, scope):
        name = left_out.name[:80]
        remarks.once(
            "scope ignored",
            client.id,
            name,
            app=client.name,
            scope=name,
            nearest=left_out.nearest,
            because="neither OpenID Connect nor any API here defines it (doorward api list)",
        )
