"""Budgets for changes: separate for each person and kind of change, in a window and a day."""

from __future__ import annotations

from typing import get_args

import pytest

from doorward.core.model.policy import ThrottlePolicy
from doorward.features.rate_limits.rules import budget
from doorward.features.rate_limits.rules.attempts import DAY

POLICY = ThrottlePolicy()


def tag(text: str) -> str:
    return f"<{text}>"


@pytest.mark.requirement(93)
def test_changes_have_a_window_and_a_day() -> None:
    window, day = budget.of_changes("profile", "usr_ada", policy=POLICY, tag=tag)
    assert (window.limit, window.window) == (20, 900)
    assert (day.limit, day.window) == (200, DAY)


@pytest.mark.requirement(93)
def test_budgets_of_different_people_share_no_counter() -> None:
    keys = {
        bucket.key
        for who in ("usr_ada", "usr_bob")
        for change in get_args(budget.Change)
        for bucket in budget.of_changes(change, who, policy=POLICY, tag=tag)
    }
    keys |= {
        budget.of_revocations(who, app, policy=POLICY, tag=tag).key
        for who in ("usr_ada", "usr_bob")
        for app in ("app_a", "app_b")
    }
    assert len(keys) == 2 * len(get_args(budget.Change)) * 2 + 4
    assert budget.of_revocations("usr_ada", "app_a", policy=POLICY, tag=tag).limit == 100
