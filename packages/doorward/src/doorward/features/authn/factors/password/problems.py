"""Problems of a new password, as the pages show them."""

from __future__ import annotations

from doorward.features.authn.factors.password.rules.password import Weak
from doorward.web.pages.views.problems import FormProblem, Wrong


def weak(problem: Weak) -> FormProblem:
    """The page's problem for a password that may not be set: its kind has the name of the reason, `password_too_short` for `too_short`."""
    return FormProblem(Wrong(f"password_{problem.why}"), number=problem.number)
