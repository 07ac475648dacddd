"""What stands in the way of `doorward dev` and `doorward demo`."""

from __future__ import annotations

from doorward.core.errors import OperatorError


class CannotStart(OperatorError):
    """Nothing was left running."""
