"""Construction of the service for mailed codes and links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from doorward.features.audit.build import audit_log
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.email_challenges.settings import EmailChallengePolicy
from doorward.features.authn.flow.build import sent_codes
from doorward.features.authn.flow.sent_code import CODE_ID
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def email_challenges(services: Services) -> EmailChallenges:
    """The service of codes and links that prove an address."""
    return EmailChallenges(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        mail_queue=services.mail,
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        policy=services.sections.of(EmailChallengePolicy),
        issuer=services.issuer,
    )


def mailed_code_problem(services: Services) -> Callable[[str, int], Awaitable[str | None]]:
    """Why the code in a queued mail no longer works: that of a challenge, or one that was sent as a factor."""
    challenges, sent = services.get(email_challenges), services.get(sent_codes)

    async def problem(ticket_id: str, now: int) -> str | None:
        of = sent.problem if ticket_id.startswith(f"{CODE_ID}_") else challenges.problem
        return await of(ticket_id, now)

    return problem
