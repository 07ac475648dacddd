"""Tables on the decision page about rotation: they match the rule functions, and the new rule keeps its promises."""

from __future__ import annotations

import pytest

from bench.rotation import honest, thieves
from bench.rotation.__main__ import pages
from bench.rotation.family import BEFORE, NOW, STRICT, Family
from bench.rotation.thieves import DAY, FRIDAY, HOUR, MONDAY, keeps_step, robbed
from tests.repository import tree

PAGE = tree.ROOT / "docs" / "decisions" / "0051-a-lost-answer-is-repeated-late-once-a-day.md"
BEGIN, END = "<!-- tables: printed by `python -m bench.rotation` -->\n", "\n<!-- /tables -->"


@pytest.mark.requirement(18)
def test_the_decision_page_matches_the_rules() -> None:
    _, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    told, mark, _ = rest.partition(END)
    assert mark
    assert told == pages()


@pytest.mark.requirement(18)
def test_a_spent_token_over_a_weekend_gives_one_access_token_and_the_owner_is_notified() -> None:
    before = robbed(BEFORE, thieves.repeats_the_parent)
    assert (before.access, before.noticed_at) == (63 * HOUR, None)
    now = robbed(NOW, thieves.repeats_the_parent)
    assert (now.access, now.noticed_at, now.late) == (300, FRIDAY + 300, 1)
    assert robbed(STRICT, thieves.repeats_the_parent).access == 0


@pytest.mark.requirement(18)
def test_a_thief_who_follows_the_owner_and_repeats_at_night_gets_one_access_token_in_a_month() -> None:
    assert robbed(BEFORE, keeps_step(300)).access == pytest.approx(711 * HOUR, abs=300)
    now = robbed(NOW, keeps_step(300))
    assert (now.access, now.noticed_at) == (300, 17 * HOUR + 300)


@pytest.mark.requirement(18)
def test_thefts_that_no_rotation_rule_detects_are_equal_under_all_rules() -> None:
    assert {robbed(rule, keeps_step(None)) for rule in (BEFORE, STRICT, NOW)} == {
        thieves.Found(189 * HOUR, None, 0)
    }
    # the one repeat each night is listed for the owner every time
    daily = robbed(NOW, keeps_step(DAY))
    assert (daily.noticed_at, daily.late) == (None, 30)
    for rule in (BEFORE, STRICT, NOW):
        assert robbed(rule, thieves.spends_the_newest).noticed_at == MONDAY


@pytest.mark.requirement(18)
def test_lost_answers_sign_out_fewer_owners_than_the_strict_rule_and_hardly_any_with_retries() -> None:
    for loss in honest.LOSSES:
        before, strict, now = (honest.month(rule, loss) for rule in (BEFORE, STRICT, NOW))
        assert before.signed_out == 0 < strict.signed_out
        assert now.signed_out * 2 < strict.signed_out
        at_once = honest.month(NOW, loss, [5])
        assert at_once.lost > 0
        assert (at_once.signed_out, at_once.late) == (0, 0)


def test_a_family_under_the_virtual_clock_behaves_like_a_stored_one() -> None:
    family = Family(NOW, 0)
    assert [family.refresh(1, 10), family.refresh(1, 69), family.refresh(1, 70)] == [2, 2, 2]
    assert family.late == [70]
    assert family.refresh(1, 130) is None
    assert family.replayed_at == 130
    assert family.refresh(2, 131) is None
