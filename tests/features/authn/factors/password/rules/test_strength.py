"""Strength estimate: its order is plausible and its running time is bounded."""

from __future__ import annotations

import sys

import pytest

from doorward.features.authn.factors.password.rules import strength


def test_a_longer_or_rarer_password_is_stronger() -> None:
    weak = strength.guesses_log10("aaaaaaaaaaaaaaaa")
    fair = strength.guesses_log10("teapot gravel")
    good = strength.guesses_log10("teapot gravel orchid nine")
    assert weak < 4 < fair < good


def test_an_empty_password_takes_no_guess() -> None:
    assert strength.guesses_log10("") == 0


def test_personal_words_make_a_password_weaker() -> None:
    plain = strength.guesses_log10("xylographerquaint")
    assert strength.guesses_log10("xylographerquaint", ["xylographer", "quaint"]) < plain


@pytest.mark.requirement(78)
def test_a_password_beyond_the_estimators_limit_is_judged_by_its_stronger_end() -> None:
    assert strength.guesses_log10("a" * 100 + "teapot gravel orchid nine sparrow") > 12
    assert strength.guesses_log10("a" * 200) < 5


def test_text_crafted_to_slow_the_estimator_costs_no_more_than_other_text() -> None:
    def cost(text: str) -> int:
        """How many calls of functions the estimate takes."""
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            strength.guesses_log10(text)
        finally:
            sys.setprofile(None)
        return calls

    plain = cost("1122334455667788990011223344556677889900112233445566778899001122334455")
    # Without the bound, the estimator takes about sixty times as long for these as for the text above.
    for hostile in ("4@8({[<369&#!1/|0$5+7%2" * 3, "4a@8b(c{[<e3g69h#i!1/l|7o0s$5t+x%z2" * 2):
        assert cost(hostile) < plain * 20
