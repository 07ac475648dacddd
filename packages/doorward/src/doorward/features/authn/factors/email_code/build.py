"""Construction of the services for mailed codes and links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.email_code.enrolment import MailCodesEnrolment
from doorward.features.authn.factors.email_code.factor import mail_delivery
from doorward.features.authn.factors.email_code.first import ProveMailbox
from doorward.features.authn.factors.email_code.first_routes import MailFirstFactor
from doorward.features.authn.factors.email_code.owning import OwnMailCodes
from doorward.features.authn.factors.email_code.service import EmailChallenges
from doorward.features.authn.factors.email_code.settings import EmailChallengePolicy, EmailCodePolicy
from doorward.features.authn.flow.build import advance, offered_factors, sent_codes
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.sent_code import CODE_ID
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


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


def own_mail_codes(services: Services) -> OwnMailCodes:
    """The service that sets up codes by mail, and removes them."""
    return OwnMailCodes(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        codes=services.get(sent_codes),
        delivery=services.get(mail_delivery),
        gate=NewFactors(store=services.store),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
        factors=services.get(offered_factors),
        flow=services.get(advance),
        revoker=services.get(revoker),
        beyond_ascii=services.beyond_ascii,
    )


def mail_codes_enrolment(services: Services) -> MailCodesEnrolment:
    """The pages that set up codes by mail."""
    return MailCodesEnrolment(codes=services.get(own_mail_codes))


def mailed_code_problem(services: Services) -> Callable[[str, int], Awaitable[str | None]]:
    """Why the code in a queued mail no longer works: that of a challenge, or one that was sent as a factor."""
    challenges, sent = services.get(email_challenges), services.get(sent_codes)

    async def problem(ticket_id: str, now: int) -> str | None:
        of = sent.problem if ticket_id.startswith(f"{CODE_ID}_") else challenges.problem
        return await of(ticket_id, now)

    return problem


def mail_first_factor(services: Services) -> MailFirstFactor | None:
    """The mailbox as a first factor; None where the operator does not allow it."""
    if not services.sections.of(EmailCodePolicy).first:
        return None
    return MailFirstFactor(
        mailbox=ProveMailbox(
            store=services.store,
            challenges=services.get(email_challenges),
            throttle=services.get(throttle),
        )
    )
