"""Remarks for the operator, each written to the log once by each process."""

from __future__ import annotations

from typing import Final, final

from doorward.adapters.logs import logger

MOST_OF_AN_APP: Final = 20
"""Different remarks of one kind about one app; a stranger who knows its client_id can invent as many as they like."""
MOST_APPS: Final = 10_000


@final
class LoggedRemarks:
    """Remarks that are worth one line in the log, and not a line with each request. What was said is remembered, in bounds; a new
    process says it again."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], set[str]] = {}
        self._log = logger("remarks")

    def once(self, event: str, client_id: str, about: str, **said: str | None) -> None:
        """One line, unless there was one or there were too many; the last one that fits says that it is the last."""
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
