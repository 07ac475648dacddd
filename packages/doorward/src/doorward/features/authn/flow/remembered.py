"""Port for remembered devices, on which a second step is not asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.storage.sql.store import Write


class HeldDevice(Struct, frozen=True):
    """The device of a request is remembered. `writes` are part of the commit that ends the sign-in: they fail if another request used
    the same secret. `cookie` is the new value of the cookie `trust`."""

    writes: tuple[Write, ...]
    cookie: str


class RememberedDevices(Protocol):
    """Asked only in a sign-in in which a second step is due and a remembered device may replace it (`StepDemand.rememberable`)."""

    async def holds(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> HeldDevice | None:
        """Whether the owner of `account` had this device remembered, and the second factors `rows` are still the same."""
        ...
