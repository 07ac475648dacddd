"""What a feature adds to the server, as one value. The list of them is `features/index.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from doorward.features.services import Addition, Services

if TYPE_CHECKING:
    from doorward.web.route import Route

__all__ = ["Feature", "Job", "Jobs", "Routes", "Services"]

Routes: TypeAlias = "Sequence[Route]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work beside the requests of a serving process, from its start until it is cancelled. `run` never ends by itself."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]


Jobs: TypeAlias = Sequence[Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Each part is a function of the services, called when a process begins to serve.

    The module that holds the value imports services, routes and templates inside these functions: commands read the list, too,
    and must not wait for what only a server needs.
    """

    name: str
    routes: Callable[[Services], Routes] = lambda _services: ()
    jobs: Callable[[Services], Jobs] = lambda _services: ()
    adds: Sequence[Addition] = ()
    """What it adds to the slots of features below it."""
    closing: Callable[[Services], None] = lambda _services: None
    """Called when the process is about to leave: requests that only wait for news are answered now."""
