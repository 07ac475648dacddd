"""The backup of other factors: made when one of them is set up, and shown once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.storage.sql.store import Write
from doorward.web.pages.views.context import View
from doorward.web.pages.views.said import Said

BackupWish = Literal["anew", "first", "none"]
"""What the setup of a factor does about a backup: `anew` replaces one, `first` makes one for a person who has none, so that a loss locks
nobody out, `none` makes none: the factor has a copy elsewhere, or no sign-in insists on it."""


class NewBackup(Struct, frozen=True):
    """A backup that `writes` store. `shown(done, onward, flow)` is the page with it: what was done, the path of the page that follows, and
    the id of the sign-in in which it was made."""

    writes: Sequence[Write]
    shown: Callable[[Said, str, str | None], View]


class Backups(ABC):
    """The factor that stands in for others."""

    @abstractmethod
    async def along(
        self, account: Account, *, anew: bool, session_id: str | None, caller: Caller, now: int
    ) -> NewBackup | None:
        """A backup to be stored together with a factor; None: the person has one, and `anew` is false. Nothing is written here."""
