"""Parts of accounts at external providers: all that their folder adds to the server."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.flow.plug import FactorParts
from doorward.features.authn.providers.activity import ACTIVITY_KINDS
from doorward.features.authn.providers.build import connected_account_routes, provider_cards
from doorward.features.authn.providers.factor import provider_factors
from doorward.features.authn.providers.messages import ProviderConnected, ProviderDisconnected

PROVIDERS: Final = FactorParts(
    factors=provider_factors,
    activity=ACTIVITY_KINDS,
    messages=(ProviderConnected, ProviderDisconnected),
    card=provider_cards,
    routes=connected_account_routes,
)
