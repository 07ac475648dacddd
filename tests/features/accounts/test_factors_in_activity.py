"""Second factors on the activity page: each change is said as it was."""

from __future__ import annotations

import re
from typing import Any

import pytest

from doorward.adapters.random import SystemRandom
from doorward.core.model.audit import AuditEvent
from tests.people import House

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("kind", "detail", "sentence"),
    [
        ("second_factor.added", {"method": "totp"}, "You added an authenticator app"),
        ("second_factor.added", {"method": "sms"}, "You added a phone"),
        ("second_factor.added", {"method": "email_code"}, "You set up codes by email"),
        ("second_factor.removed", {"method": "totp"}, "You removed your authenticator app"),
        ("second_factor.removed", {"method": "sms"}, "You removed a phone"),
        ("second_factor.removed", {"method": "email_code"}, "You removed codes by email"),
        ("passkey.added", {"method": "passkey"}, "You added a passkey"),
        ("passkey.removed", {}, "You removed a passkey"),
        ("passkey.renamed", {}, "You renamed a passkey"),
        (
            "passkey.changed",
            {"method": "passkey"},
            "You changed whether a passkey is asked for after your password",
        ),
        ("passkey.copied", {}, "Somebody used what looks like a copy of your passkey"),
        (
            "second_factor.required",
            {"required": "yes"},
            "The people who run this service ask you for a second step from now on",
        ),
        (
            "second_factor.required",
            {"required": "no"},
            "The people who run this service no longer ask you for a second step",
        ),
        (
            "second_factor.reset",
            {"methods": ["passkey"]},
            "The people who run this service removed a second step of yours",
        ),
        # as earlier programs wrote it
        ("second_factor.reset", {}, "The people who run this service removed your authenticator app"),
    ],
)
@pytest.mark.requirement(100)
async def test_what_happened_to_second_factors_is_said_as_it_was(
    house: House, kind: str, detail: dict[str, Any], sentence: str
) -> None:
    account = await house.person()
    browser = await house.signed_in()
    event = AuditEvent(
        id=SystemRandom().new_id("aud"), at=house.now, kind=kind, account_id=account.id, detail=detail
    )
    assert await house.store.commit(house.store.audit.append(event))
    page = await browser.get("/account/activity")
    lines = re.findall(r'<li>\s*<div class="row"><p>(.*?)</p>', page.text)
    assert [line for line in lines if line.startswith(sentence)], lines
    assert len(lines) == 2, "the sign-in, and this"
