"""Decorator of administrative operations: a service method takes the actor first, and the actor must have one right.

The check is in the decorator, before the method's first line, so that no operation can forget it. A test verifies that every public
method of the services is decorated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from doorward.core.model.actor import Actor, Right
from doorward.features.admin.error import refused

_TRIES = 10

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


class Overtaken(Exception):
    """The configuration changed after the operation read it."""


def operation(
    right: Right,
) -> Callable[
    [Callable[Concatenate[S, Actor, P], Awaitable[R]]], Callable[Concatenate[S, Actor, P], Awaitable[R]]
]:
    """Refuse an actor without `right` (`right_missing`); otherwise call the method, and again when it was `Overtaken`, so it has to read
    the configuration itself on each call."""

    def decorate(
        method: Callable[Concatenate[S, Actor, P], Awaitable[R]],
    ) -> Callable[Concatenate[S, Actor, P], Awaitable[R]]:
        @wraps(method)
        async def call(service: S, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            demand(actor, right)
            for _ in range(_TRIES):
                with suppress(Overtaken):
                    return await method(service, actor, *args, **kwargs)
            raise refused("config_contended")

        cast("Any", call).right = right
        return call

    return decorate


def demand(actor: Actor, right: Right) -> None:
    """Raise `right_missing` for an actor without `right`: what an operation demands beyond its own right, for some of its parameters."""
    if not actor.may(right):
        raise refused("right_missing", right=right, actor=actor.name)
