"""Refusal of an administrative operation, as an exception that carries a problem."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from doorward.core.model.problem import Noun, Problem, ProblemCode, Value, problem


class AdminError(Exception):
    """A refused operation; nothing was changed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def refused(code: ProblemCode, **parameters: Value) -> AdminError:
    """An `AdminError` with a problem of the catalogue."""
    return AdminError(problem(code, **parameters))


def demand(problem: Problem | None) -> None:
    """Raise `AdminError` if there is a problem."""
    if problem is not None:
        raise AdminError(problem)


def not_found(noun: Noun, given: str, known: Iterable[str]) -> AdminError:
    """An `AdminError` for an unknown name; `near` is the nearest known one."""
    return refused("not_found", noun=noun, given=given, near=nearest(given, known))


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The known name most similar to `given`, if any is similar enough."""
    names = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), names, n=1, cutoff=0.5)
    return names[near[0]] if near else None
