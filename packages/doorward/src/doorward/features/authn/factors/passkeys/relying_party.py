"""The relying party id of a database: all its passkeys belong to one, and it changes only when the operator says so.

A browser offers a passkey only for the id for which it was made. With another id all passkeys would be dead without a word.
"""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.adapters.logs import logger
from doorward.core.errors import OperatorError
from doorward.storage.sql.store import Store

RP_ID_META: Final = "passkeys.rp_id"
"""Name of the stored id in `meta`; written with the first passkey."""
_log = logger("passkeys")


class RelyingPartyChanged(OperatorError):
    """The settings name another id than that of the stored passkeys, or allow none. `stored` is that of the passkeys."""

    def __init__(self, stored: str, wanted: str | None) -> None:
        self.stored = stored
        instead = f'To remove all passkeys instead, set passkeys.rp_id_was = "{stored}".'
        if wanted is None:
            super().__init__(
                f"The passkeys in this database belong to {stored}, and with these settings there are none: whoever has one as a second "
                "step would sign in by the password alone.",
                f"Set passkeys.enabled = true, and an issuer whose host is a name. {instead}",
            )
        else:
            super().__init__(
                f"The passkeys in this database belong to {stored}; with passkeys.rp_id = {wanted} none of them would work.",
                f'Set passkeys.rp_id = "{stored}". {instead}',
            )


async def changed(store: Store, rp_id: str | None) -> RelyingPartyChanged | None:
    """Why the stored passkeys do not work with the id `rp_id` (None: no passkeys); None: they do, or there are none."""
    stored = await store.meta(RP_ID_META)
    if stored is None or stored == rp_id or not await store.passkeys.any():
        return None
    return RelyingPartyChanged(stored, rp_id)


@final
class RelyingParty(Struct, frozen=True, kw_only=True):
    """`rp_id` is that of the settings, None where there are no passkeys; `was` is the former one that the operator gives up."""

    store: Store
    rp_id: str | None
    was: str | None = None

    async def settle(self) -> None:
        """Compare the id with that of the stored passkeys, and remove those when the operator gave them up. Raises
        `RelyingPartyChanged`."""
        problem = await changed(self.store, self.rp_id)
        if problem is not None:
            if self.was != problem.stored:
                raise problem
            await self.store.commit(self.store.passkeys.forget_all())
            _log.warning("passkeys.forgotten", rp_id=problem.stored)
        stored = await self.store.meta(RP_ID_META)
        if stored is not None and self.rp_id is not None and stored != self.rp_id:
            await self.store.commit(self.store.put_meta(RP_ID_META, self.rp_id))
