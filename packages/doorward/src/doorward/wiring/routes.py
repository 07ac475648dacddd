"""Every path of the server, with all that stands behind it."""

from __future__ import annotations

from urllib.parse import urlsplit

from doorward.actions.account_pages import AccountPages
from doorward.actions.advance import Advance
from doorward.actions.authenticate_client import AuthenticateClient
from doorward.actions.authorize import Authorize
from doorward.actions.challenge import Challenge
from doorward.actions.change_password import ChangePassword
from doorward.actions.consent import AnswerConsent
from doorward.actions.cookie_session import CookieSession
from doorward.actions.ending import Ending
from doorward.actions.exchange_token import ExchangeToken
from doorward.actions.finish import Finish
from doorward.actions.give_tokens import GiveTokens
from doorward.actions.ignored_scopes import IgnoredScopes
from doorward.actions.introspect import Introspect
from doorward.actions.judge_password import JudgePassword
from doorward.actions.own_tokens import OwnTokens
from doorward.actions.post_once import PostOnce
from doorward.actions.prove_password import CheckPassword, ProvePassword
from doorward.actions.prove_second_factor import ProveSecondFactor
from doorward.actions.record import Record
from doorward.actions.redeem_code import RedeemCode
from doorward.actions.refresh_token import RefreshGrant
from doorward.actions.reset_password import ResetPassword
from doorward.actions.revocation_feed import RevocationFeed, Watch
from doorward.actions.revocation_view import RevocationView
from doorward.actions.revoke_token import RevokeToken
from doorward.actions.second_factors import SecondFactors
from doorward.actions.sign_out import SignOutAction
from doorward.actions.sign_up import SignUp
from doorward.actions.status_list import StatusList
from doorward.actions.throttle import Throttle
from doorward.actions.tickets import Tickets
from doorward.actions.userinfo import Userinfo
from doorward.actions.verify_address import VerifyAddress
from doorward.outside.metrics import CONTENT_TYPE
from doorward.outside.remarks import LoggedRemarks
from doorward.rules.identify.web_origin import web_origin
from doorward.rules.prove.begun import PER_GUESS, Begun
from doorward.settings import Settings
from doorward.web import (
    account,
    authorize,
    challenge,
    cookie,
    feed,
    front,
    introspection,
    logout,
    metadata,
    outbox,
    reset,
    revocation,
    sign_in,
    sign_up,
    token,
    userinfo,
)
from doorward.web.arrival import Arrival
from doorward.web.cookies import CookieJar
from doorward.web.http import Route
from doorward.web.once import Once
from doorward.web.pages import language
from doorward.web.right_host import RightHost
from doorward.web.steps import Steps
from doorward.web.visitor import Visitors
from doorward.wiring.outside import Outside


def routes(settings: Settings, outside: Outside, jar: CookieJar, watch: Watch) -> list[Route]:
    """Every path of the server, with all that stands behind it."""
    store, chance, clock, catalog = outside.store, outside.chance, outside.clock, outside.catalog
    sealer, signer, meter, hasher, postman = (
        outside.sealer,
        outside.signer,
        outside.meter,
        outside.hasher,
        outside.postman,
    )
    issuer, brand = settings.issuer, settings.brand.name
    parts = urlsplit(issuer)
    # settings have made sure that browsers can open it
    origin = web_origin(issuer) or f"{parts.scheme}://{parts.netloc}"
    # What many actions share.
    record = Record(store, chance)
    ending = Ending(store, chance, catalog, settings.tokens)
    view = RevocationView(store)
    throttle = Throttle(store, sealer, settings.throttle, outside.shared.counters)
    own_tokens = OwnTokens(signer, issuer)
    sign_out = SignOutAction(store, catalog, ending, record, own_tokens)
    authenticate = AuthenticateClient(
        store, catalog, record, meter, outside.shared.failures, settings.tokens, issuer
    )
    # Proving who somebody is.
    check = CheckPassword(store, hasher, throttle, record, meter, outside.shared.begun)
    judge = JudgePassword(settings.passwords, outside.breached, parts.hostname or "", brand)
    prove_password = ProvePassword(store, check)
    prove_second = ProveSecondFactor(store, sealer, throttle, record, meter, postman)
    tickets = Tickets(store, chance, sealer, postman, throttle, record, settings.tickets, issuer)
    # From proof to code, from code to tokens.
    finish = Finish(store, chance, postman, ending, record, meter, settings.tokens, settings.sessions, issuer)
    advance = Advance(store, catalog, finish, settings.tokens, issuer)
    give = GiveTokens(catalog, signer, chance, settings.tokens, issuer)
    ignored = IgnoredScopes(catalog, LoggedRemarks())
    exchange = ExchangeToken(
        authenticate,
        RedeemCode(store, ending, give, chance, record),
        RefreshGrant(store, ending, give, chance, record, meter, postman, settings.tokens, ignored),
        give,
        catalog,
        chance,
        clock,
        meter,
    )
    # The pages' surroundings.
    visitors = Visitors(
        store=store,
        sealer=sealer,
        chance=chance,
        clock=clock,
        policy=settings.sessions,
        jar=jar,
        issuer=issuer,
        origin=origin,
        brand_name=brand,
        default_locale=settings.brand.locale,
        development=settings.development,
    )
    begun = outside.shared.begun
    steps = Steps(store, chance, catalog, advance, settings.sessions, issuer, begun)
    arrival = Arrival(visitors, steps, catalog, sealer)
    found = [
        *front.routes(visitors=visitors, store=store, signer=signer),
        *metadata.routes(issuer=issuer, locales=tuple(language.LOCALES), signer=signer),
        *authorize.routes(
            visitors=visitors,
            steps=steps,
            authorize=Authorize(catalog, own_tokens, issuer, ignored),
            answer=AnswerConsent(store, record, advance),
            sealer=sealer,
        ),
        *sign_in.routes(
            arrival=arrival,
            store=store,
            tickets=tickets,
            prove_password=prove_password,
            prove_second_factor=prove_second,
        ),
        *sign_up.routes(
            arrival=arrival,
            sign_up=SignUp(store, hasher, judge, throttle, tickets, settings.beyond_ascii),
            verify=VerifyAddress(store, chance, catalog, tickets, record),
            tickets=tickets,
        ),
        *reset.routes(
            arrival=arrival,
            reset=ResetPassword(store, chance, hasher, judge, throttle, tickets, postman, ending, record),
        ),
        *account.routes(
            arrival=arrival,
            store=store,
            pages=AccountPages(store, catalog, ending, record, throttle),
            change=ChangePassword(store, chance, hasher, check, judge, postman, ending, record),
            factors=SecondFactors(
                store, chance, sealer, check, postman, record, throttle, settings.passwords, brand
            ),
        ),
        *logout.routes(visitors=visitors, steps=steps, sign_out=sign_out, sealer=sealer),
        *token.routes(exchange),
        *introspection.routes(
            Introspect(authenticate, store, catalog, signer, clock, view, settings.tokens, issuer)
        ),
        *revocation.routes(
            RevokeToken(authenticate, store, ending, signer, record, throttle, meter, clock, view, issuer)
        ),
        *userinfo.routes(Userinfo(store, catalog, signer, clock, view, issuer)),
        *feed.routes(
            RevocationFeed(store, chance, clock, watch, sealer),
            StatusList(store, catalog, signer, clock, settings.tokens, issuer),
        ),
        *challenge.routes(
            challenge=Challenge(
                store,
                catalog,
                chance,
                clock,
                authenticate,
                prove_password,
                prove_second,
                advance,
                settings.sessions,
                issuer,
                ignored,
                begun,
            )
        ),
        *cookie.routes(
            cookies=CookieSession(exchange, catalog, store, signer, clock, view, sign_out, issuer, origin),
            catalog=catalog,
            jar=jar,
            sealer=sealer,
            chance=chance,
        ),
        *outbox.routes(
            development=settings.development,
            visitors=visitors,
            store=store,
            sealer=sealer,
            issuer=settings.issuer,
        ),
    ]
    if settings.metrics.token is not None:
        found.append(front.metrics_route(settings.metrics.token, meter.page, CONTENT_TYPE))
    once = Once(
        visitors,
        sealer,
        PostOnce(store, sealer, clock, settings.sessions),
        Begun(settings.throttle.per_address * PER_GUESS),
    )
    host = RightHost(jar, issuer, origin, parts.path.rstrip("/"), brand, settings.brand.locale)
    return [host.around(once.around(item)) for item in found]
