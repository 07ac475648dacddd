"""Stream queue: what a line of the audit log writes into the streams, in the commit of that line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from doorward.core.model.audit import AuditEvent
from doorward.features.security_events.rules.account_events import account_events
from doorward.storage.sql.store import Store, Write


class StreamQueue(Struct, frozen=True, kw_only=True):
    """Follows the audit log."""

    store: Store
    credential_types: Callable[[], Mapping[str, str]]

    def follow(self, line: AuditEvent) -> Write:
        """The events of one line, for the streams that ask for their kind and the apps that know the person. Empty without such a stream."""
        events = self.store.security_events
        if not events.wanted and events.wanted is not None:
            return Write(())
        found = account_events(line, self.credential_types())
        return Write(tuple(step for one in found for step in events.of_account(one).steps))
