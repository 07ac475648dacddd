"""What accounts add to the server: signing up, a new password, and the pages below /account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.accounts import reset_routes, self_service_routes, sign_up_routes
    from doorward.features.accounts.build import reset_password, self_service, sign_up, verify_address
    from doorward.features.authn.factors.email_code.build import email_challenges
    from doorward.features.authn.factors.password.build import change_password, prove_password
    from doorward.features.authn.flow.build import flow_pages, signed_in_pages
    from doorward.features.authn.methods import routes as methods_routes
    from doorward.features.authn.methods.build import second_factors
    from doorward.features.repeated_posts.build import pages

    flow, own = services.get(flow_pages), services.get(signed_in_pages)
    return [
        *sign_up_routes.routes(
            pages=services.get(pages),
            flow=flow,
            sign_up=services.get(sign_up),
            verify=services.get(verify_address),
            tickets=services.get(email_challenges),
        ),
        *reset_routes.routes(pages=services.get(pages), flow=flow, reset=services.get(reset_password)),
        *self_service_routes.routes(
            own=own,
            pages=services.get(self_service),
            catalog=services.config,
            tokens=services.tokens,
        ),
        *methods_routes.routes(
            own=own,
            flow=flow,
            prove_password=services.get(prove_password),
            change_password=services.get(change_password),
            factors=services.get(second_factors),
        ),
    ]


ACCOUNTS = Feature(name="accounts", routes=_routes)
