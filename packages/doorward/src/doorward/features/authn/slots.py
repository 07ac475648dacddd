"""Slots of authentication, which other features fill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from doorward.features.services import Slot

if TYPE_CHECKING:
    from doorward.features.authn.flow.password_source import PasswordSource
    from doorward.features.authn.flow.plug import FactorPlug, GoalPlug
    from doorward.features.authn.flow.remembered import RememberedDevices
    from doorward.features.authn.flow.risk import RiskJudge
    from doorward.features.authn.flow.rules.routing import DomainRoutes

FACTORS: Final[Slot[FactorPlug]] = Slot("factors")
"""Factors, in order of preference."""

GOALS: Final[Slot[GoalPlug]] = Slot("goals")
"""The goals of sign-ins other than to the account pages, each with the name that its requests have."""

FinishedReset = Callable[[str, bytes], Awaitable[str | None]]
"""The address of a reset of the password that a browser has finished, by the reset's id and the hash of the browser's secret."""

RESETS: Final[Slot[FinishedReset]] = Slot("resets")
"""How the page of the password learns the address after a reset."""

REMEMBERED: Final[Slot[RememberedDevices]] = Slot("remembered")
"""The devices on which a second step is not asked for. At most one."""

RISK: Final[Slot[RiskJudge]] = Slot("risk")
"""The judge of sign-ins that look dangerous. At most one."""

DOMAINS: Final[Slot[DomainRoutes]] = Slot("domains")
"""The domains whose people sign in at a provider. At most one."""

PASSWORD_SOURCES: Final[Slot[PasswordSource]] = Slot("password_sources")
"""Places that know passwords, besides this server's own database, in the order in which they are asked."""
