"""Revocation view: each entry covers exactly the tokens that it names."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.revocation import Revocation
from doorward.features.revocations.rules.view import RevocationEntries

NOW = 1_800_000_000


def token(**changes: Any) -> dict[str, Any]:
    return {"jti": "grt_a.x", "sid": "ses_a", "sub": "usr_a", "client_id": "app_a", "iat": NOW, **changes}


def view(*entries: Revocation) -> RevocationEntries:
    made = RevocationEntries()
    made.feed(len(entries), entries)
    return made


@pytest.mark.requirement(58)
@pytest.mark.parametrize(
    ("entry", "spared"),
    [
        (Revocation("jti", "grt_a.x", NOW, NOW + 9), {"jti": "grt_a.y"}),
        (Revocation("grant", "grt_a", NOW, NOW + 9), {"jti": "grt_ab.x"}),
        (Revocation("sid", "ses_a", NOW, NOW + 9), {"sid": None}),
        (Revocation("sub", "usr_a", NOW, NOW + 9, NOW), {"iat": NOW + 1}),
        (Revocation("client", "app_a", NOW, NOW + 9, NOW), {"iat": NOW + 1}),
    ],
)
def test_each_kind_covers_its_tokens_and_no_others(entry: Revocation, spared: dict[str, Any]) -> None:
    held = view(entry)
    assert held.revoked(token()) == entry.kind
    assert held.revoked(token(**spared)) is None
    assert RevocationEntries().revoked(token()) is None


def test_a_later_bound_replaces_an_earlier_one_and_never_the_reverse() -> None:
    early, late = (Revocation("sub", "usr_a", NOW, NOW + 9, NOW + n) for n in (0, 5))
    for entries in ((early, late), (late, early)):
        assert view(*entries).revoked(token(iat=NOW + 5)) == "sub"


def test_expired_entries_are_forgotten() -> None:
    held = view(Revocation("sid", "ses_a", NOW, NOW + 9), Revocation("sub", "usr_a", NOW, NOW + 9, NOW))
    held.forget(NOW + 8)
    assert held.revoked(token()) == "sid"
    held.forget(NOW + 9)
    assert held.revoked(token()) is None
    assert held.seq == 2
