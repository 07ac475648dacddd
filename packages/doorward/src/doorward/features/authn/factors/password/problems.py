"""Problems of a new password, as the pages show them."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.factors.password.rules.password import Weak
from doorward.web.pages.views.problems import Problem, Wrong

_WEAK: Final = {
    "missing": Wrong.PASSWORD_MISSING,
    "too_short": Wrong.PASSWORD_TOO_SHORT,
    "too_long": Wrong.PASSWORD_TOO_LONG,
    "breached": Wrong.PASSWORD_BREACHED,
    "guessable": Wrong.PASSWORD_GUESSABLE,
    "context": Wrong.PASSWORD_CONTEXT,
    "unchanged": Wrong.PASSWORD_UNCHANGED,
}


def weak(problem: Weak) -> Problem:
    """The page's problem for a password that may not be set."""
    return Problem(_WEAK[problem.why], number=problem.number)
