"""Problems of mailed codes, as pages say them."""

from __future__ import annotations

from doorward.features.authn.factors.email_code.rules import Missed
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.web.pages.views.problems import Problem, Wrong


def waiting(wait: Wait) -> Problem:
    """ "Too many tries. Try again at 14:32."; of mails to an address, who else can be asked."""
    return Problem(Wrong.TOO_MANY_MAILS if wait.stranger else Wrong.TOO_MANY_TRIES, at=wait.until)


def missed(outcome: Missed | Wait) -> Problem:
    """What is wrong with a mailed code, and what helps: the link goes on working when no more codes are looked at."""
    if isinstance(outcome, Wait):
        return Problem(Wrong.CODE_SPENT, at=outcome.until)
    return Problem(Wrong.CODE_SPENT if outcome.why == "spent" else Wrong.CODE_WRONG)
