"""Revocation bounds in time: one entry covers exactly the tokens issued so far."""

from __future__ import annotations

import pytest

from doorward.features.revocations.rules.view import RevocationEntries
from doorward.features.sessions.rules import bounds
from doorward.features.sessions.rules.revocation import MARGIN
from tests.features import made

NOW = made.NOW
TOKEN = {"jti": "grt_x.y", "sub": "app_web", "client_id": "app_web"}


@pytest.mark.requirement(93)
@pytest.mark.parametrize(("iat", "spared"), [(NOW - 200, NOW), (NOW - 1, NOW), (NOW, NOW + 1)])
def test_tokens_issued_before_this_second_end_and_later_ones_are_valid(iat: int, spared: int) -> None:
    entry = bounds.of_all_until_now("app_web", iat=iat, now=NOW, life=300)
    view = RevocationEntries()
    view.feed(1, [entry])
    assert view.revoked({**TOKEN, "iat": iat}) == "client"
    assert view.revoked({**TOKEN, "iat": NOW - 1}) == "client"
    assert view.revoked({**TOKEN, "iat": spared}) is None
    assert entry.before is not None
    assert entry.expires_at == entry.before + 300 + MARGIN


@pytest.mark.requirement(93)
def test_the_promised_numbers_are_pinned() -> None:
    assert (bounds.OF_GRANT, bounds.OF_APP) == (20, 200)
