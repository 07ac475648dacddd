"""Construction of the services behind the pages of sign-in methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.authn.factors.password.build import change_password, check_password, password_policy
from doorward.features.authn.flow.build import flow_pages, offered_factors, signed_in_pages
from doorward.features.authn.flow.enrolment import EnrolmentPages
from doorward.features.authn.methods.alone import PasswordAlone
from doorward.features.authn.methods.page import MethodsPage
from doorward.features.authn.methods.service import OwnMethods
from doorward.features.repeated_posts.build import pages
from doorward.features.services import Services

if TYPE_CHECKING:
    from doorward.features.authn.methods.routes import MethodHandlers


def methods_page(services: Services) -> MethodsPage:
    """The page with a card for each factor."""
    # the index of factors lists messages of this folder, too
    from doorward.features.authn.index import method_cards

    methods = OwnMethods(
        store=services.store,
        policy=services.second_factor,
        judge=services.get(password_policy),
        factors=services.get(offered_factors),
        cards=method_cards(services),
    )
    return MethodsPage(methods=methods, flow=services.get(flow_pages))


def enrolment_pages(services: Services) -> EnrolmentPages:
    """The factory of pages that set up a factor."""
    from doorward.features.authn.index import backups

    alone = PasswordAlone(check=services.get(check_password), policy=services.passwords)
    return EnrolmentPages(
        own=services.get(signed_in_pages),
        pages=services.get(pages),
        flow=services.get(flow_pages),
        store=services.store,
        random=services.random,
        policy=services.second_factor,
        backups=backups(services),
        password_alone=alone.problem,
        methods=services.get(methods_page).wrong,
    )


def method_handlers(services: Services) -> MethodHandlers:
    """The page itself, the form of the password, and the page that asks for it again."""
    from doorward.features.authn.methods.routes import MethodHandlers

    return MethodHandlers(
        own=services.get(signed_in_pages),
        flow=services.get(flow_pages),
        prove_password=services.get(check_password),
        change_password=services.get(change_password),
        methods=services.get(methods_page),
    )
