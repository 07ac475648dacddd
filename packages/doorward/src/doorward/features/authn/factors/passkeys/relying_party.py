"""The relying party id of a database: all its passkeys belong to one, and it changes only when the operator says so.

A browser offers a passkey only for the id for which it was made. With another id all passkeys would be dead without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from doorward.adapters.logs import logger
from doorward.core.errors import OperatorError
from doorward.storage.sql.store import Store

RP_ID_META: Final = "passkeys.rp_id"
"""Name of the stored id in `meta`; written with the first passkey."""
_log = logger("passkeys")


class RelyingPartyChanged(OperatorError):
    """The settings name another id than that of the stored passkeys."""

    def __init__(self, stored: str, wanted: str) -> None:
        super().__init__(
            f"The passkeys in this database belong to {stored}; with passkeys.rp_id = {wanted} none of them would work.",
            f'Set passkeys.rp_id = "{stored}". To remove all passkeys instead, set passkeys.rp_id_was = "{stored}".',
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """`rp_id` is that of the settings, None where there are no passkeys; `was` is the former one that the operator gives up."""

    store: Store
    rp_id: str | None
    was: str | None = None

    async def settle(self) -> None:
        """Compare the id with that of the stored passkeys, and remove those when the operator gave them up. Raises
        `RelyingPartyChanged`."""
        if self.rp_id is None:
            return
        stored = await self.store.meta(RP_ID_META)
        if stored is None or stored == self.rp_id:
            return
        named = self.store.put_meta(RP_ID_META, self.rp_id)
        if not await self.store.passkeys.any():
            await self.store.commit(named)
        elif self.was == stored:
            await self.store.commit(self.store.passkeys.forget_all(), named)
            _log.warning("passkeys.forgotten", rp_id=stored)
        else:
            raise RelyingPartyChanged(stored, self.rp_id)
