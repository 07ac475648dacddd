"""Slots of signing in: what other features add to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorward.features.services import Slot

if TYPE_CHECKING:
    from doorward.features.authn.flow.plug import FactorPlug, GoalPlug

FACTORS: Final[Slot[FactorPlug]] = Slot("factors")
"""Ways in which people show who they are, in order of preference."""

GOALS: Final[Slot[GoalPlug]] = Slot("goals")
"""What people sign in for, beside the account pages. Exactly one."""
