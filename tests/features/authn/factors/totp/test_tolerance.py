"""How long the code of an authenticator app lives, by the settings."""

from __future__ import annotations

import pytest

from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.totp.rules import PERIOD
from tests.front_channel import front_channel
from tests.trusting import at_code

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(82)]


@pytest.mark.parametrize("tolerance", [0, 1])
async def test_the_code_of_the_period_before_is_refused_where_the_settings_say_so(tolerance: int) -> None:
    """ASVS 6.5.5"""
    async with front_channel(second_factor=SecondFactorPolicy(totp_tolerance=tolerance)) as front:
        await front.authenticator(await front.person())
        tab = front.browser()
        page, before = await at_code(tab), front.code()
        front.clock.time += PERIOD
        done = await tab.submit(page, "second-factor", code=before)
        assert (done.header("location") == "/account") is bool(tolerance)
        if not tolerance:
            assert done.status == 400
            done = await tab.submit(done, "second-factor", code=front.code())
            assert done.header("location") == "/account"
