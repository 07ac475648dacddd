"""A passkey that risk asks for as the second step, after a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.features.risk.settings import RiskPolicy
from tests.browsing import SESSION
from tests.features.authn.factors.passkeys.served import enrol, use
from tests.features.risk.watched import assessed, at_home, stranger, watched

pytestmark = pytest.mark.anyio


async def test_a_passkey_is_asked_for_after_the_password(tmp_path: Path) -> None:
    """Phishing-resistant means the passkey: neither a mailed code nor an authenticator app of the person stands in."""
    async with watched(tmp_path, policy=RiskPolicy(new_country="ask_phishing_resistant")) as front:
        ada = await front.person()
        await at_home(front)
        await front.authenticator(ada)
        key = await enrol(front, ada)
        mailed = len(await front.store.messages.recent_mail(50))
        tab = stranger(front)
        page = await tab.on(await tab.sign_in())
        assert page.path.startswith("/sign-in/passkey"), page.words
        assert "second-factor" not in page.forms
        assert SESSION not in tab.cookies
        assert len(await front.store.messages.recent_mail(50)) == mailed, "no code is mailed"
        done = await use(tab, page, key)
        assert done.header("location") == "/account", done.words
        (line,) = await assessed(front)
        assert line.detail["verdict"] == "ask_phishing_resistant"
