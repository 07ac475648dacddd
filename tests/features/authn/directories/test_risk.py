"""Verdicts on sign-ins with a directory's password: asked, refused, and at home nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.core.model.risk import Verdict
from doorward.features.authn.directories.rules.proof import KIND
from doorward.features.risk.settings import RiskPolicy
from tests.browsing import SESSION
from tests.features.risk.watched import LISBON, assessed, mailed_code, stranger, watched
from tests.slapd import PASSWORD, Slapd
from tests.trusting import sign_out_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("verdict", ["ask_factor", "refuse"])
async def test_who_comes_with_a_password_of_the_directory_is_judged_too(
    corp: Slapd, tmp_path: Path, verdict: Verdict
) -> None:
    policy, directories = RiskPolicy(new_country=verdict), corp.settings(lockout_threshold=0)
    async with watched(tmp_path, policy=policy, directories=directories) as front:
        home = front.browser(LISBON)
        for _ in range(2):
            assert (await home.sign_in("bob", PASSWORD)).header("location") == "/account"
            assert await assessed(front) == [], "at home nothing is asked"
            sign_out_of(home)
            front.clock.time += 86_400
        bob = await front.store.accounts.by_email("bob@example.com")
        assert bob is not None
        assert [row.kind for row in await front.store.accounts.factors(bob.id)] == [KIND]
        away = stranger(front)
        page = await away.on(await away.sign_in("bob", PASSWORD))
        (line,) = await assessed(front)
        assert (line.account_id, line.detail["verdict"]) == (bob.id, verdict)
        assert line.detail["reasons"] == ["new_country"]
        assert SESSION not in away.cookies
        if verdict == "ask_factor":
            assert "This sign-in looks unusual" in page.words
            done = await away.submit(page, "second-factor", code=await mailed_code(front))
            assert done.header("location") == "/account", done.words
        else:
            assert "second-factor" not in page.forms
            assert len(await front.store.sessions.live_of(bob.id, front.now)) == 2, "those at home"
