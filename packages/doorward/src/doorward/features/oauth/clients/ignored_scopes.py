"""Log notices about requested scope names that were ignored because nothing defines them."""

from __future__ import annotations

from doorward.adapters.operator_notices import OperatorNotices
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.features.oauth.clients.rules.scope import ignored


def note_ignored(notices: OperatorNotices, config: ConfigSnapshot, client: Client, scope: str | None) -> None:
    """One log line per app and name of an accepted request, with the nearest scope that the app may request."""
    for left_out in ignored(config, client, scope):
        name = left_out.name[:80]
        notices.once(
            "scope.ignored",
            client.id,
            name,
            app=client.name,
            scope=name,
            nearest=left_out.nearest,
            reason="neither OpenID Connect nor any API here defines it (doorward api list)",
        )
