"""Construction of the services for codes by mail at the sign-in."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.email_challenges.build import email_challenges
from doorward.features.authn.factors.email_code.enrolment import MailCodesEnrolment
from doorward.features.authn.factors.email_code.factor import mail_delivery
from doorward.features.authn.factors.email_code.first import ProveMailbox
from doorward.features.authn.factors.email_code.first_routes import MailFirstFactor
from doorward.features.authn.factors.email_code.owning import OwnMailCodes
from doorward.features.authn.factors.email_code.settings import EmailCodePolicy
from doorward.features.authn.flow.build import advance, offered_factors, routed_domains, sent_codes
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


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


def mail_first_factor(services: Services) -> MailFirstFactor | None:
    """The mailbox as a first factor; None where the operator does not allow it."""
    if not services.sections.of(EmailCodePolicy).first:
        return None
    return MailFirstFactor(
        mailbox=ProveMailbox(
            store=services.store,
            challenges=services.get(email_challenges),
            throttle=services.get(throttle),
            routes=services.get(routed_domains),
        )
    )
