"""Error that prevents `doorward dev` or `doorward demo`."""

from __future__ import annotations

from doorward.core.errors import OperatorError


class CannotStart(OperatorError):
    """The start failed; no process was left running."""
