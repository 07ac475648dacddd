"""Times of mails with notices: bounded in number, and no kind delays another (R93, R99)."""

from __future__ import annotations

import pytest

from doorward.features.notices.rules.spacing import DAY, LONGEST, due_at

NOW = 1_800_000_000
WAIT = 30


def test_the_first_mail_of_a_day_waits_for_nothing() -> None:
    assert due_at(mails=0, last_at=0, new_kind=True, wait=WAIT) == 0
    assert due_at(mails=0, last_at=0, new_kind=False, wait=WAIT) == 0


@pytest.mark.requirement(99)
def test_a_kind_that_was_not_told_that_day_never_waits() -> None:
    for mails in (1, 5, 12, 500):
        assert due_at(mails=mails, last_at=NOW, new_kind=True, wait=WAIT) == 0


@pytest.mark.parametrize(
    ("mails", "pause"), [(1, WAIT), (4, WAIT), (5, 600), (11, 600), (12, LONGEST), (500, LONGEST)]
)
def test_the_pause_grows_with_the_mails_of_the_day(mails: int, pause: int) -> None:
    assert due_at(mails=mails, last_at=NOW, new_kind=False, wait=WAIT) == NOW + pause


def test_a_longer_setting_is_kept_between_all_mails() -> None:
    assert due_at(mails=2, last_at=NOW, new_kind=False, wait=900) == NOW + 900
    assert due_at(mails=6, last_at=NOW, new_kind=False, wait=900) == NOW + 900


@pytest.mark.requirement(93)
def test_a_notice_each_second_makes_34_mails_a_day() -> None:
    sent: list[int] = []
    for now in range(NOW, NOW + DAY):
        last = sent[-1] if sent else 0
        if due_at(mails=len(sent), last_at=last, new_kind=False, wait=WAIT) <= now:
            sent.append(now)
    assert len(sent) == 34
