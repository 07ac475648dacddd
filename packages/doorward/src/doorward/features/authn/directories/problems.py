"""Refusals of a directory for the JSON sign-in, with the sentences that pages show."""

from __future__ import annotations

from typing import Final

from doorward.core.errors import OAuthError
from doorward.features.authn.directories.views import DirectoryProblem


def refusal(problem: DirectoryProblem) -> OAuthError:
    """The refusal whose description is the sentence in English."""
    code = "temporarily_unavailable" if problem is DirectoryProblem.UNAVAILABLE else "access_denied"
    return OAuthError(code, problem.words[0], problem.value)


PROBLEMS: Final = {one.words[0]: one for one in DirectoryProblem}
