"""Ports for remembered devices, on which a second step is not asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.storage.sql.store import Write

FIELD: Final = "trust"
"""The form field and JSON parameter with which a person has the device remembered."""

CHOSEN: Final = "1"


class HeldDevice(Struct, frozen=True):
    """The device of a request is remembered. `writes` are part of the commit that ends the sign-in: they fail if the device was ended
    in between. `cookie` is the new value of the cookie `trust`, `id` that of the device, for the audit log."""

    writes: tuple[Write, ...]
    cookie: str
    id: str = ""


class DeviceToRemember(Protocol):
    """A device that its owner wants to have remembered, with a secret of its own; nothing is stored yet."""

    @property
    def cookie(self) -> str:
        """The value of the cookie `trust`, once `writes` are committed."""
        ...

    async def writes(self, account: Account, rows: Sequence[EnrolledFactor]) -> Sequence[Write]:
        """What stores the device, for the commit of the proof of the second step. It fails if the account has changed. Empty for
        another account than the one that it was made for."""
        ...


class RememberedDevices(Protocol):
    """Asked only in a sign-in in which a second step is due and a remembered device may replace it (`StepDemand.rememberable`)."""

    @property
    def seconds(self) -> int:
        """For how long a device is remembered."""
        ...

    async def holds(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> HeldDevice | None:
        """Whether the owner of `account` had this device remembered, and the second factors `rows` are still the same."""
        ...

    async def new(self, account: Account, caller: Caller, now: int) -> DeviceToRemember:
        """The device of this request, to be remembered for the owner of `account`."""
        ...
