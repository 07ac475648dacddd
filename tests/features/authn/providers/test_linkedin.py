"""Sign-in with LinkedIn, by its row of the table: neither nonce nor PKCE, and words of its own for Cancel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.providers.services.linkedin import LINKEDIN
from tests.features.authn.providers.journey import BOB, journey

pytestmark = pytest.mark.anyio
ROW: dict[str, Any] = {
    "service": "linkedin",
    **{name: value for name, value in LINKEDIN.defaults.items() if name not in {"issuer", "label"}},
    # the provider of the tests signs with ES256
    "signing_algs": ("ES256",),
}


@pytest.mark.requirement(91)
async def test_a_sign_in_has_neither_nonce_nor_challenge_and_its_state_is_the_browsers(
    tmp_path: Path,
) -> None:
    async with journey(tmp_path, **ROW) as there:
        tab, victim = there.front.browser(), there.front.browser()
        url = await there.leave(tab)
        assert {"nonce", "code_challenge", "code_challenge_method"}.isdisjoint(there.provider.asked(url))
        back = there.provider.approved(url, **BOB)
        await victim.get("/sign-in")
        page = await victim.on(await victim.get(back))
        assert "took too long" in (page.problem or "")
        assert (await tab.on(await tab.get(back))).path == "/account"


@pytest.mark.parametrize("error", ["user_cancelled_login", "user_cancelled_authorize"])
async def test_its_words_for_cancel_are_understood(tmp_path: Path, error: str) -> None:
    async with journey(tmp_path, **ROW) as there:
        tab = there.front.browser()
        page = await tab.on(await tab.get(there.provider.cancelled(await there.leave(tab), error)))
        assert "didn't finish" in (page.problem or "")
        assert await there.reasons() == []
