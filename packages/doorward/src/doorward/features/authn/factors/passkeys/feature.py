"""Routes of passkeys besides the sign-in page: those of the account, and well-known documents."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.features.authn.factors.passkeys.build import ceremonies, own_passkeys, remove_passkey, rp_id
from doorward.features.services import Services
from doorward.web.route import Route


def passkey_routes(services: Services) -> Sequence[Route]:
    """The routes; none where there are no passkeys."""
    from doorward.features.authn.factors.passkeys import well_known
    from doorward.features.authn.factors.passkeys.account_routes import METHODS, PASSKEYS, OwnPasskeyPages
    from doorward.features.authn.flow.build import signed_in_pages

    if services.get(rp_id) is None:
        return ()
    own = OwnPasskeyPages(
        own=services.get(signed_in_pages),
        passkeys=services.get(own_passkeys),
        removal=services.get(remove_passkey),
    )
    documents = well_known.routes(
        issuer=services.issuer,
        enroll=PASSKEYS,
        manage=METHODS,
        origins=services.get(ceremonies).origins,
    )
    return [*own.routes(), *documents]
