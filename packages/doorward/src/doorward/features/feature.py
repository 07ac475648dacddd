"""Feature: everything that one folder adds to the server, as one value. The list of features is `features/index.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from doorward.features.services import Addition, Services

if TYPE_CHECKING:
    from doorward.web.route import Route

__all__ = ["BackgroundJob", "Feature", "Jobs", "Routes", "Services"]

Routes: TypeAlias = "Sequence[Route]"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundJob:
    """Background work of a serving process, from its start until it is cancelled. `run` never returns."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]


Jobs: TypeAlias = Sequence[BackgroundJob]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Each part is a function of the services, called when a process begins to serve.

    The module that holds the value imports services, routes and templates inside these functions: commands read the list too, and
    must not load what only a server needs.
    """

    name: str
    routes: Callable[[Services], Routes] = lambda _services: ()
    jobs: Callable[[Services], Jobs] = lambda _services: ()
    adds: Sequence[Addition] = ()
    """Additions to the slots of features below this one."""
    closing: Callable[[Services], None] = lambda _services: None
    """Called before the process exits, so that long-polling requests are answered now."""
