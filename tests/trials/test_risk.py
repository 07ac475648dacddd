"""Tests of the trial of risk: the published tables are those that the code makes, and keep their aims."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.risk import CODES
from doorward.features.risk.settings import RiskPolicy
from trials.risk.report import (
    LARGE,
    OF_GUESSED,
    OF_TAKEN,
    ONE_IN,
    PAGE,
    SEEDS,
    SMALL,
    Result,
    published,
    replaced,
    run,
    shown,
)

SIZES = [
    # 94 of 99 right guesses: published as it came out (docs/decisions/0180)
    (SMALL, ["guesses: 94.9% caught"]),
    pytest.param(LARGE, [], marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("size", "missed"), SIZES)
def test_the_published_tables_are_those_of_the_code_and_keep_their_aims(size: int, missed: list[str]) -> None:
    """At most one question in 200 sign-ins of each honest group (FusionAuth#3014, authentik#12214), none refused, 95 % of guesses and
    80 % of takeovers caught; the one aim that the page says is missed stays as it is. `python -m trials.risk --write` makes the tables anew."""
    result = run(SEEDS, size, RiskPolicy())
    assert published(PAGE.read_text("utf-8"), size) == shown(result)
    assert result.missed() == missed


def test_a_policy_that_asks_nobody_and_one_that_asks_everybody_miss_the_aims() -> None:
    silent: dict[str, Any] = dict.fromkeys(CODES, "allow")
    nothing = run((7,), 1_000, RiskPolicy(**silent))
    assert sum(one.asked for one in nothing.honest.values()) == 0
    assert [text.partition(":")[0] for text in nothing.missed()] == ["guesses", "takeovers"]
    harsh = run((7,), 1_000, RiskPolicy(new_device_traits=0, anonymous_network="refuse"))
    assert any("questions" in text for text in harsh.missed())
    assert any("refused" in text for text in harsh.missed())


def test_aims_are_judged_at_their_edges() -> None:
    result = run((7,), 300, RiskPolicy())
    for tally in (*result.honest.values(), *result.attacks.values()):
        tally.right, tally.asked, tally.refused = ONE_IN, 1, 0
    for tally in result.attacks.values():
        tally.right, tally.asked = 100, round(100 * OF_GUESSED)
    assert result.missed() == []
    next(iter(result.honest.values())).asked = 2
    for tally in result.attacks.values():
        tally.asked = round(100 * OF_TAKEN) - 1
    assert len(Result(result.honest, result.attacks, ()).missed()) == 3


def test_tables_are_replaced_in_their_place() -> None:
    text = replaced(PAGE.read_text("utf-8"), SMALL, "| new |")
    assert published(text, SMALL) == "| new |"
    assert published(text, LARGE) == published(PAGE.read_text("utf-8"), LARGE)
