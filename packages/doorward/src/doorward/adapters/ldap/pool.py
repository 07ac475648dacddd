"""Threads for LDAP, bounded for each directory: a hanging server holds up its own questions only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar, final

from doorward.adapters.ldap.target import DirectoryUnavailable, LdapTarget
from doorward.adapters.monotonic import monotonic_boottime
from doorward.core.model.directory import BindAnswer, LdapEntry
from doorward.core.model.secret import Secret

PAUSE: Final = 5.0
"""Seconds after a failure in which nobody waits for the directory: one question in that time finds out whether it is back."""
WAITING: Final = 16
"""Questions that may wait for each thread."""
T = TypeVar("T")


class _Own(threading.local):
    """The two connections of a thread: one of the service account, and one on which people bind."""

    service: Any = None
    people: Any = None


@final
class LdapPool:
    """Each thread has its own connections, which stay open. `threads` questions run at once. After a failure questions fail at once for
    `PAUSE`. Threads start on first use."""

    def __init__(self, target: LdapTarget, *, name: str) -> None:
        self._target = target
        self._threads = ThreadPoolExecutor(target.threads, thread_name_prefix=f"ldap-{name}")
        self._own = _Own()
        self._running = 0
        self._shut_until = 0.0
        self._why = ""

    @property
    def shut(self) -> bool:
        """Whether it failed a moment ago."""
        return monotonic_boottime() < self._shut_until

    async def search(
        self,
        base: str,
        query: str,
        attributes: Sequence[str],
        *,
        most: int,
        only_base: bool = False,
        whole: bool = False,
    ) -> list[LdapEntry]:
        """The entries that match, by the service account. Raises `DirectoryUnavailable`, and with `whole` also for an answer that the
        server cut."""
        return await self._run(
            lambda: self._service().search(
                base, query, attributes, most=most, only_base=only_base, whole=whole
            )
        )

    async def bind(self, dn: str, password: Secret) -> BindAnswer:
        """The answer to a bind as a person. Raises `DirectoryUnavailable`."""
        return await self._run(lambda: self._people().bind(dn, password))

    def close(self) -> None:
        """Take no more questions. Threads that wait for the server end with the process."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self.shut:
            raise DirectoryUnavailable(self._why)
        if self._running >= self._target.threads * WAITING:
            raise DirectoryUnavailable("too many questions wait for it")
        self._running += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._ran)
        try:
            # the thread is bounded by the time limits of its socket, each of which a dripping server can renew
            async with asyncio.timeout(self._target.connect_timeout + 3 * self._target.timeout):
                return await asyncio.shield(future)
        except TimeoutError:
            self._failed("it did not answer in time")
            raise DirectoryUnavailable(self._why) from None
        except DirectoryUnavailable as problem:
            self._failed(str(problem))
            raise

    def _ran(self, future: asyncio.Future[Any]) -> None:
        self._running -= 1
        if not future.cancelled():
            # read, so that nothing is logged about a question that nobody waits for any more
            future.exception()

    def _failed(self, why: str) -> None:
        self._why = why
        self._shut_until = monotonic_boottime() + PAUSE

    def _service(self) -> Any:
        if self._own.service is None:
            self._own.service = _session(self._target, as_service=True)
        return self._own.service

    def _people(self) -> Any:
        if self._own.people is None:
            self._own.people = _session(self._target, as_service=False)
        return self._own.people


def _session(target: LdapTarget, *, as_service: bool) -> Any:
    # imported here: the library comes with an extra, and takes memory where no directory is asked
    from doorward.adapters.ldap.session import LdapSession

    return LdapSession(target, as_service=as_service)
