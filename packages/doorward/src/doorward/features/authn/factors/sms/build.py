"""Construction of codes by text message."""

from __future__ import annotations

from importlib import import_module
from urllib.parse import urlsplit

from doorward.adapters import trust
from doorward.adapters.sms.channels import ChannelNeeds, channel_of
from doorward.adapters.sms.delivery import SmsWorker
from doorward.core.ports.message_channel import MessageChannel
from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.sms.budget import SmsBudget
from doorward.features.authn.factors.sms.delivery import SmsDelivery
from doorward.features.authn.factors.sms.enrolment import PhoneEnrolment
from doorward.features.authn.factors.sms.factor import SmsFactor, TextedCodes
from doorward.features.authn.factors.sms.messages import CODE_LINK
from doorward.features.authn.factors.sms.outbox import SmsOutbox
from doorward.features.authn.factors.sms.reports import DeliveryReports, failure
from doorward.features.authn.factors.sms.rules.phone import KIND, TRAITS
from doorward.features.authn.factors.sms.service import Phones
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.authn.flow.build import offered_factors, sent_codes
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def message_channel(services: Services) -> MessageChannel | None:
    """The gateway of the settings. None: messages stay in the outbox."""
    policy = services.sections.of(SmsPolicy)
    if policy.channel == "none":
        return None
    # its numbering plans are large: not first when somebody waits for a page
    import_module("phonenumbers")
    needs = ChannelNeeds(
        issuer=services.issuer,
        clock=services.clock,
        development=services.development,
        context=trust.context(services.ca_file),
        url=policy.url,
        account=policy.account,
        token=policy.token,
        sender=policy.sender,
        timeout=policy.timeout,
    )
    return channel_of(policy.channel, needs)


def sms_worker(services: Services) -> SmsWorker | None:
    """The background task that sends messages. None: there is no gateway."""
    channel = services.get(message_channel)
    if channel is None:
        return None
    return SmsWorker(
        store=services.store,
        sealer=services.sealer,
        channel=channel,
        clock=services.clock,
        metrics=services.metrics,
        failed=lambda message, reason: failure(
            services.store, services.random, message, reason, services.clock.now()
        ),
        spent=services.get(sent_codes).problem,
    )


def delivery_reports(services: Services) -> DeliveryReports | None:
    """The endpoint for the gateway's reports. None: there is no gateway."""
    channel = services.get(message_channel)
    if channel is None:
        return None
    return DeliveryReports(
        store=services.store,
        channel=channel,
        random=services.random,
        clock=services.clock,
        metrics=services.metrics,
    )


def sms_budget(services: Services) -> SmsBudget:
    """The limits of messages."""
    return SmsBudget(
        store=services.store,
        sealer=services.sealer,
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        policy=services.sections.of(SmsPolicy),
    )


def sms_delivery(services: Services) -> SmsDelivery:
    """How codes reach phones."""
    outbox = SmsOutbox(
        random=services.random,
        sealer=services.sealer,
        brand=services.brand_name,
        host=urlsplit(services.issuer).hostname or "",
    )
    return SmsDelivery(
        store=services.store,
        sealer=services.sealer,
        budget=services.get(sms_budget),
        outbox=outbox,
        policy=services.sections.of(SmsPolicy),
    )


def phones(services: Services) -> Phones:
    """The phones of an account."""
    return Phones(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        codes=services.get(sent_codes),
        delivery=services.get(sms_delivery),
        budget=services.get(sms_budget),
        throttle=services.get(throttle),
        mail_queue=services.mail,
        audit_log=services.get(audit_log),
        revoker=services.get(revoker),
        gate=NewFactors(store=services.store),
        policy=services.sections.of(SmsPolicy),
    )


def sms_factor(services: Services) -> SmsFactor:
    """Codes by text message as a factor: once a phone is set up, a second step is required at every sign-in."""
    return SmsFactor(
        traits=TRAITS,
        path=f"{TYPED_CODE_PATH}?method={KIND}",
        link=CODE_LINK,
        step=TYPED_CODE_STEP,
        typed_code=TextedCodes(
            traits=TRAITS,
            store=services.store,
            codes=services.get(sent_codes),
            delivery=services.get(sms_delivery),
        ),
        reports=services.get(delivery_reports),
    )


def phone_enrolment(services: Services) -> PhoneEnrolment:
    """The pages of phones."""
    return PhoneEnrolment(
        phones=services.get(phones),
        factors=services.get(offered_factors),
    )
