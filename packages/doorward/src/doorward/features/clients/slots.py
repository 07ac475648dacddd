"""Sources of apps other than the configuration snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from doorward.features.services import Slot

if TYPE_CHECKING:
    from doorward.core.errors import OAuthError
    from doorward.core.model.caller import Caller
    from doorward.core.model.client import Client


class ClientSource(Protocol):
    """Apps that no operator registered, by the form of their ids. A client of it has no access to open APIs yet: the directory adds it."""

    def owns(self, client_id: str) -> bool:
        """Whether ids of this form are this source's. Decided by the text alone."""
        ...

    async def find(self, client_id: str) -> Client | None:
        """The app as it is stored; nothing is fetched. None: there is none, or it is disabled. Raises `StoreUnavailable`."""
        ...

    async def resolve(self, client_id: str, caller: Caller, now: int) -> Client | OAuthError:
        """The app at the beginning of a request of its own, fetched where it has to be; or the reason why there is none, as
        `invalid_client`. Raises `StoreUnavailable`."""
        ...


CLIENT_SOURCES: Final[Slot[ClientSource]] = Slot("client sources")
"""Sources of apps: `Feature(name=…, adds=(CLIENT_SOURCES.filled_by(…),))`."""
