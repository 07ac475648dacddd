"""The list of factors: each kind of the model once, no duplicates."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.features.authn.flow.build import factor_plugs, offered_factors
from doorward.features.authn.flow.offered import OfferedFactors
from tests.front_channel import front_channel
from tests.offered import KINDS

pytestmark = pytest.mark.anyio


async def test_the_servers_own_factors_are_in_order_of_preference() -> None:
    async with front_channel() as front:
        plugs = front.services.get(factor_plugs)
        assert tuple(plug.traits.kind for plug in plugs) == KINDS
        offered = front.services.get(offered_factors)
        assert [factor.traits.kind for factor in offered.first] == ["password", "passkey"]
        assert [factor.label("en") for factor in offered.all] == [
            "Use your password",
            "Use your passkey",
            "Use your authenticator app",
            "Use your passkey",
            "Get a code by text message",
            "Get a code by email",
            "Use a recovery code",
        ]
        assert [factor.label("de") for factor in offered.all] != [
            factor.label("en") for factor in offered.all
        ]
        assert [id(factor) for factor in offered.known] == [id(factor) for factor in offered.all], (
            "built once"
        )
        with pytest.raises(ValueError, match="one kind"):
            OfferedFactors(all=(plugs[0], replace(plugs[0])))


async def test_a_sign_in_has_exactly_one_kind_of_goal() -> None:
    from doorward.features.authn.flow.build import goal_choice
    from doorward.features.index import FEATURES
    from doorward.features.oauth.authorize.feature import AUTHORIZE

    async with front_channel() as front:
        assert front.services.get(goal_choice) is front.advance.goals
    doubled = (*FEATURES, replace(AUTHORIZE, name="again", routes=FEATURES[0].routes))
    with pytest.raises(ValueError, match="too many"):
        async with front_channel(features=doubled):
            pass
