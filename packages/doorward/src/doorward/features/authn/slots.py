"""Slots of authentication, which other features fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorward.features.services import Slot

if TYPE_CHECKING:
    from doorward.features.authn.flow.plug import FactorPlug, GoalPlug

FACTORS: Final[Slot[FactorPlug]] = Slot("factors")
"""Factors, in order of preference."""

GOALS: Final[Slot[GoalPlug]] = Slot("goals")
"""The goal of sign-ins other than to the account pages. Exactly one."""
