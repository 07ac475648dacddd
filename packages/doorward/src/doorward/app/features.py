"""Every path of the server, with all that stands behind it."""

from __future__ import annotations

from urllib.parse import urlsplit

from doorward.adapters.metrics import CONTENT_TYPE
from doorward.adapters.remarks import LoggedRemarks
from doorward.app.adapters import Outside
from doorward.core.web_origin import web_origin
from doorward.features.accounts import (
    reset_routes as reset,
)
from doorward.features.accounts import (
    self_service_routes as account,
)
from doorward.features.accounts import (
    sign_up_routes as sign_up,
)
from doorward.features.accounts.reset_password import ResetPassword
from doorward.features.accounts.self_service import AccountPages
from doorward.features.accounts.sign_up import SignUp
from doorward.features.accounts.verify_address import VerifyAddress
from doorward.features.audit.service import Record
from doorward.features.authn.factors.email_code.service import Tickets
from doorward.features.authn.factors.password import routes as sign_in
from doorward.features.authn.factors.password.change import ChangePassword
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.service import CheckPassword, ProvePassword
from doorward.features.authn.factors.totp.enrol import SecondFactors
from doorward.features.authn.factors.totp.service import ProveSecondFactor
from doorward.features.authn.flow.advance import Advance
from doorward.features.authn.flow.finish import Finish
from doorward.features.authn.flow.page_pipeline import Arrival
from doorward.features.authn.flow.routes import Steps
from doorward.features.dev_outbox import routes as outbox
from doorward.features.health import routes as front
from doorward.features.oauth.authorize import routes as authorize
from doorward.features.oauth.authorize.service import Authorize
from doorward.features.oauth.client_auth.service import AuthenticateClient
from doorward.features.oauth.clients.ignored_scopes import IgnoredScopes
from doorward.features.oauth.consent.service import AnswerConsent
from doorward.features.oauth.first_party import challenge_routes as challenge
from doorward.features.oauth.first_party import cookie_routes as cookie
from doorward.features.oauth.first_party.challenge import Challenge
from doorward.features.oauth.first_party.cookie_session import CookieSession
from doorward.features.oauth.grants.authorization_code.service import RedeemCode
from doorward.features.oauth.grants.refresh_token.service import RefreshGrant
from doorward.features.oauth.introspection import routes as introspection
from doorward.features.oauth.introspection.service import Introspect
from doorward.features.oauth.logout import routes as logout
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.oauth.metadata import routes as metadata
from doorward.features.oauth.revocation import routes as revocation
from doorward.features.oauth.revocation.service import RevokeToken
from doorward.features.oauth.token import routes as token
from doorward.features.oauth.token.service import ExchangeToken
from doorward.features.oauth.tokens.issue import GiveTokens
from doorward.features.oauth.tokens.own_tokens import OwnTokens
from doorward.features.oauth.userinfo import routes as userinfo
from doorward.features.oauth.userinfo.service import Userinfo
from doorward.features.rate_limits.rules.sign_in_starts import PER_GUESS, Begun
from doorward.features.rate_limits.service import Throttle
from doorward.features.repeated_posts.boundary import Once
from doorward.features.repeated_posts.service import PostOnce
from doorward.features.revocations import routes as feed
from doorward.features.revocations.feed import RevocationFeed, Watch
from doorward.features.revocations.status_list import StatusList
from doorward.features.revocations.view_service import RevocationView
from doorward.features.sessions.browser_context import Visitors
from doorward.features.sessions.ending import Ending
from doorward.settings import Settings
from doorward.web.cookies import CookieJar
from doorward.web.http import Route
from doorward.web.pages import language
from doorward.web.right_host import RightHost


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
