"""Notices for the operator, each logged once by each process."""

from __future__ import annotations

from typing import Final, final

from doorward.adapters.logs import logger

MOST_OF_AN_APP: Final = 20
"""The most notices of one kind about one app; a stranger who knows its client_id can cause any number."""
MOST_APPS: Final = 10_000


@final
class OperatorNotices:
    """Notices that deserve one line in the log, and not one for each request. Logged ones are remembered, up to a
    bound; a new process logs them again."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], set[str]] = {}
        self._log = logger("notices")

    def once(self, event: str, client_id: str, about: str, **said: str | None) -> None:
        """Log one line, unless it was logged before or there were too many; the last line that fits says so."""
        key = (event, client_id)
        known = self._said.get(key)
        if known is None:
            if len(self._said) >= MOST_APPS:
                return
            known = self._said[key] = set()
        if about in known or len(known) >= MOST_OF_AN_APP:
            return
        known.add(about)
        more = {"note": "more of these are not logged"} if len(known) == MOST_OF_AN_APP else {}
        self._log.warning(event, client_id=client_id, **said, **more)
