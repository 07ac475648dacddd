"""Authorization feature: the authorization endpoint and the consent page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.authn.slots import GOALS
from doorward.features.feature import Feature, Routes, Services

if TYPE_CHECKING:
    from doorward.features.authn.flow.plug import GoalPlug


def _routes(services: Services) -> Routes:
    from doorward.features.authn.flow.build import flow_pages
    from doorward.features.oauth.authorize.build import authorize
    from doorward.features.oauth.authorize.routes import AuthorizePages
    from doorward.features.oauth.consent.build import answer_consent
    from doorward.features.repeated_posts.build import pages

    shown = AuthorizePages(
        flow=services.get(flow_pages), authorize=services.get(authorize), answer=services.get(answer_consent)
    )
    return shown.routes(services.get(pages))


def _goals(services: Services) -> Sequence[GoalPlug]:
    from doorward.core.model.request import CODE
    from doorward.features.audit.build import audit_log
    from doorward.features.authn.flow.plug import GoalPlug
    from doorward.features.clients.build import client_directory
    from doorward.features.oauth.authorize.goal import AuthorizationGoals
    from doorward.features.oauth.authorize.pages import AuthorizationPages
    from doorward.features.oauth.tokens.build import new_grants

    goals = AuthorizationGoals(
        store=services.store,
        config=services.config,
        clients=services.get(client_directory),
        random=services.random,
        audit_log=services.get(audit_log),
        new_grants=services.get(new_grants),
        tokens=services.tokens,
        issuer=services.issuer,
    )
    shown = AuthorizationPages(config=services.config, tokens=services.tokens)
    return (GoalPlug(CODE, goals, shown, shown),)


AUTHORIZE = Feature(name="oauth.authorize", routes=_routes, adds=(GOALS.filled_by(_goals),))
