"""Parts of the store used by adapters, which must not import it: counted attempts, and due messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from doorward.core.model.bucket import Bucket
from doorward.core.model.message import LogoutNotice, OutgoingMail


class CountedTries(Protocol):
    """A part of `storage/sql/attempts.py`."""

    async def counts(self, buckets: Sequence[str]) -> Mapping[str, tuple[int, int]]: ...
    def add(self, bucket: str, now: int, window: int, *, tries: int = 1) -> Any: ...
    def take(self, bucket: Bucket, now: int) -> Any: ...


class DueMessages(Protocol):
    """A part of `storage/sql/messages.py`."""

    async def due_mail(
        self, now: int, limit: int = 20, *, but: Collection[str] = ()
    ) -> Sequence[OutgoingMail]: ...
    def replace_mail(self, old: OutgoingMail, new: OutgoingMail) -> Any: ...
    async def due_logouts(
        self, now: int, limit: int = 20, *, but: Collection[str] = ()
    ) -> Sequence[LogoutNotice]: ...
    def replace_logout(self, old: LogoutNotice, new: LogoutNotice) -> Any: ...


class AdapterStore(Protocol):
    """A part of `storage/sql/store.py`."""

    @property
    def attempts(self) -> CountedTries: ...
    @property
    def messages(self) -> DueMessages: ...
    async def commit(self, *writes: Any) -> bool: ...
