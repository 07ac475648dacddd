"""Feature: everything that one folder adds to the server, as one value. The list of features is `features/index.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from doorward.features.services import Addition, Services

if TYPE_CHECKING:
    from doorward.core.model.finding import Finding
    from doorward.core.model.section import Sections
    from doorward.storage.sql.store import Store
    from doorward.web.route import Route

__all__ = ["BackgroundJob", "DoctorCheck", "Examined", "Feature", "Jobs", "Routes", "Services"]

Routes: TypeAlias = "Sequence[Route]"


class BackgroundJob(Struct, frozen=True, kw_only=True):
    """Background work of a serving process, from its start until it is cancelled. `run` never returns."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]


Jobs: TypeAlias = Sequence[BackgroundJob]


class Examined(Struct, frozen=True, kw_only=True):
    """What a check of `doorward doctor` may look at, at `now` (seconds). No server need run, and no key is known."""

    store: Store
    sections: Sections
    issuer: str
    now: int


class DoctorCheck(Struct, frozen=True, kw_only=True):
    """One line of `doorward doctor` about what a feature stores. `look` changes nothing; None: there is no such line."""

    name: str
    look: Callable[[Examined], Awaitable[Finding | None]]


async def _nothing(_services: Services) -> None:
    """What most features do before a process serves."""


class Feature(Struct, frozen=True, kw_only=True):
    """Each part is a function of the services, called when a process begins to serve.

    The module that holds the value imports services, routes and templates inside these functions: commands read the list too, and
    must not load what only a server needs.
    """

    name: str
    routes: Callable[[Services], Routes] = lambda _services: ()
    jobs: Callable[[Services], Jobs] = lambda _services: ()
    adds: Sequence[Addition] = ()
    """Additions to the slots of features below this one."""
    checks: Callable[[], Sequence[DoctorCheck]] = tuple
    starting: Callable[[Services], Awaitable[None]] = _nothing
    """Called before a process begins to serve. Raises `OperatorError` to refuse that."""
    closing: Callable[[Services], None] = lambda _services: None
    """Called before the process exits, so that long-polling requests are answered now."""
