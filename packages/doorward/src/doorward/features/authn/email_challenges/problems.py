"""Problems of mailed codes, as the pages show them."""

from __future__ import annotations

from doorward.features.authn.email_challenges.rules import Missed
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.web.pages.views.problems import FormProblem, Wrong


def waiting(wait: Wait) -> FormProblem:
    """ "Too many tries. Try again at 14:32."; for mails to an address, a text that also names whom to ask."""
    return FormProblem(Wrong.TOO_MANY_MAILS if wait.stranger else Wrong.TOO_MANY_TRIES, at=wait.until)


def missed(outcome: Missed | Wait) -> FormProblem:
    """The problem of a mailed code. The link still works when no more codes are accepted."""
    if isinstance(outcome, Wait):
        return FormProblem(Wrong.CODE_SPENT, at=outcome.until)
    return FormProblem(Wrong.CODE_SPENT if outcome.why == "spent" else Wrong.CODE_WRONG)
