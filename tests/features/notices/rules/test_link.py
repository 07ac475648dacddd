"""The link "This wasn't me": once, for a time, and while there is access to end (R94)."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.message import NoticeLink
from doorward.features.notices.rules.link import answered, usable
from tests.features import made

NOW = made.NOW
ADA = made.account()
LINK = NoticeLink(
    hash=b"h" * 32, account_id=ADA.id, kind="new_device", created_at=NOW, expires_at=NOW + 7 * 86_400
)
USED = structs.replace(LINK, answered_at=NOW + 5, answer="not_me")


def test_a_link_is_usable_until_it_is_answered_or_expires() -> None:
    assert usable(LINK, ADA, NOW)
    assert usable(LINK, ADA, LINK.expires_at - 1)
    assert not usable(LINK, ADA, LINK.expires_at)
    assert not usable(USED, ADA, NOW)
    assert answered(USED, ADA, NOW)
    assert not answered(LINK, ADA, NOW)
    assert not answered(USED, ADA, LINK.expires_at)


@pytest.mark.requirement(94)
def test_a_link_ends_with_its_account() -> None:
    for account in (None, structs.replace(ADA, disabled_at=NOW), structs.replace(ADA, id="usr_other")):
        assert not usable(LINK, account, NOW)
        assert not answered(USED, account, NOW)
    assert not usable(None, ADA, NOW)
    assert not answered(None, ADA, NOW)


def test_what_a_thief_can_change_does_not_end_it() -> None:
    taken = structs.replace(
        ADA, email="thief@example.com", password_changed_at=NOW + 1, password_hash="other"
    )
    assert usable(LINK, taken, NOW + 2)
