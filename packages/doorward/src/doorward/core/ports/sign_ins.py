"""Sign-ins under way: the part of the store that pages and the JSON sign-in pause in."""

from __future__ import annotations

from typing import Protocol

from doorward.core.model.signin import SignIn
from doorward.core.ports.write import Write


class SignIns(Protocol):
    """Sign-ins under way."""

    async def get(self, sign_in_id: str) -> SignIn | None: ...
    async def by_handle(self, handle_hash: bytes) -> SignIn | None: ...
    def insert(self, sign_in: SignIn) -> Write: ...
    def replace(self, old: SignIn, new: SignIn) -> Write:
        """Guarded: loses when the row changed since `old` was read, so that no step is taken twice."""
        ...

    def end_of_account(self, account_id: str, at: int) -> Write:
        """Those in which somebody showed something as this person go, as far as they still run at `at`."""
        ...
