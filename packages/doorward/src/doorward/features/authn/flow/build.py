"""Construction of the sign-in services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.flow.finish import SignInCompletion
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.goals import GoalChoice, choice
from doorward.features.authn.flow.new_account import NewAccounts
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.remembered import RememberedDevices
from doorward.features.authn.flow.risk import RiskJudge
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.features.authn.flow.sending import SendCode
from doorward.features.authn.flow.sent_code import SentCodes
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.authn.flow.sign_ins import SignIns
from doorward.features.authn.flow.typed_code import ProveTypedCode
from doorward.features.authn.slots import DOMAINS, FACTORS, GOALS, REMEMBERED, RISK
from doorward.features.clients.build import client_directory
from doorward.features.rate_limits.build import sign_in_starts, throttle
from doorward.features.repeated_posts.build import pages
from doorward.features.services import Services
from doorward.features.sessions.build import live_sessions, revoker
from doorward.features.sessions.signed_in_pages import SignedInPages
from doorward.features.slots import DONE


def known_factors(services: Services) -> tuple[FactorPlug, ...]:
    """The factors of all features, in their order, also those that cannot be offered now."""
    return services.added(FACTORS)


def factor_plugs(services: Services) -> tuple[FactorPlug, ...]:
    """Those that this server offers."""
    return tuple(factor for factor in services.get(known_factors) if factor.offered)


def offered_factors(services: Services) -> OfferedFactors:
    """The same factors as one object."""
    return OfferedFactors(all=services.get(factor_plugs), known=services.get(known_factors))


def goal_choice(services: Services) -> GoalChoice:
    """The goals of sign-ins other than to the account pages. Raises ValueError if two have one name."""
    return choice(services.added(GOALS))


def remembered_devices(services: Services) -> RememberedDevices | None:
    """The devices on which a second step is not asked for. Raises ValueError if more than one feature knows them."""
    (found,) = services.added(REMEMBERED) or (None,)
    return found


def risk_judge(services: Services) -> RiskJudge | None:
    """The judge of sign-ins that look dangerous. Raises ValueError if there is more than one."""
    (found,) = services.added(RISK) or (None,)
    return found


def routed_domains(services: Services) -> DomainRoutes:
    """The domains whose people sign in at a provider. Raises ValueError if more than one feature knows them."""
    (found,) = services.added(DOMAINS) or (DomainRoutes(),)
    return found


def prove_typed_code(services: Services) -> ProveTypedCode:
    """The proof of a typed code."""
    return ProveTypedCode(
        store=services.store,
        factors=services.get(offered_factors),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        mail_queue=services.mail,
    )


def finish(services: Services) -> SignInCompletion:
    """The service that ends a sign-in."""
    return SignInCompletion(
        store=services.store,
        random=services.random,
        mail_queue=services.mail,
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        sessions=services.sessions,
    )


def advance(services: Services) -> SignInFlow:
    """The dispatcher of sign-ins."""
    return SignInFlow(
        store=services.store,
        config=services.config,
        policy=services.second_factor,
        factors=services.get(offered_factors),
        goals=services.get(goal_choice),
        completion=services.get(finish),
        remembered=services.get(remembered_devices),
        risk=services.get(risk_judge),
        mailed=services.sends_mail,
    )


def sign_ins(services: Services) -> SignIns:
    """The store of sign-ins in progress."""
    return SignIns(
        store=services.store,
        random=services.random,
        policy=services.sessions,
        limiter=services.get(sign_in_starts),
        factors=services.get(offered_factors),
    )


def flow_pages(services: Services) -> FlowPages:
    """The service that leads from one step of a sign-in to the next page."""
    return FlowPages(
        sign_ins=services.get(sign_ins),
        sessions=services.get(live_sessions),
        clients=services.get(client_directory),
        factors=services.get(offered_factors),
        sign_in_flow=services.get(advance),
        send_code=services.get(send_code),
        goals=services.get(goal_choice),
        routes=services.get(routed_domains),
    )


def signed_in_pages(services: Services) -> SignedInPages:
    """The factory of routes that require a signed-in person."""
    return SignedInPages(
        pages=services.get(pages),
        sessions=services.get(live_sessions),
        sealer=services.sealer,
        flow=services.get(flow_pages),
        done_by_features=services.added(DONE),
    )


def sent_codes(services: Services) -> SentCodes:
    """The codes that are sent by mail and text message."""
    return SentCodes(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
    )


def send_code(services: Services) -> SendCode:
    """The service that sends a code for a sign-in."""
    return SendCode(
        store=services.store,
        clients=services.get(client_directory),
        sign_in_flow=services.get(advance),
        codes=services.get(sent_codes),
    )


def new_accounts(services: Services) -> NewAccounts:
    """The service that makes accounts of people who come by themselves."""
    return NewAccounts(
        store=services.store,
        random=services.random,
        config=services.config,
        audit_log=services.get(audit_log),
        gate=services.get(new_factors),
    )


def new_factors(services: Services) -> NewFactors:
    """The gate for kinds of factors that older programs do not know."""
    return NewFactors(store=services.store)
