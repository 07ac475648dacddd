"""Mark of a verdict in a sign-in in progress."""

from __future__ import annotations

import pytest

from doorward.core.model.levels import AAL2, AAL3, PHR
from doorward.core.model.risk import VERDICTS, Verdict
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules import risk_mark as rule
from doorward.features.authn.flow.rules.policy import StepDemand

PASSWORD = Proof("password", 5, ("pwd",))


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_mark_says_its_verdict_and_no_method(verdict: Verdict) -> None:
    mark = rule.mark(verdict, 7)
    assert rule.marked((PASSWORD, mark)) == verdict
    assert mark == Proof(f"risk:{verdict}", 7, ()), "it is stored"
    assert rule.unmarked((PASSWORD, mark)) == (PASSWORD,)
    assert rule.marks((PASSWORD, mark)) == (mark,)


def test_a_mark_of_a_later_program_is_none() -> None:
    assert rule.marked((Proof("risk:later", 7, ()),)) is None
    assert rule.marked((PASSWORD,)) is None


@pytest.mark.parametrize("verdict", [None, "allow", "refuse", "end"])
def test_other_verdicts_ask_nothing(verdict: Verdict | None) -> None:
    asked = StepDemand(acr=AAL2, rememberable=True)
    assert rule.raised(asked, verdict) is asked


def test_a_question_wants_two_steps_and_no_remembered_device() -> None:
    raised = rule.raised(StepDemand(kinds=frozenset({"totp"}), rememberable=True), "ask_factor")
    assert raised == StepDemand(steps=2, kinds=frozenset({"totp"}), because="risk")
    assert raised.lowered() == raised


def test_what_was_demanded_already_keeps_its_reason() -> None:
    demanded = StepDemand(steps=2, because="policy", grace_until=9)
    assert rule.raised(demanded, "ask_factor") == demanded


def test_a_passkey_is_wanted_unless_more_was() -> None:
    assert rule.raised(StepDemand(acr=AAL2), "ask_phishing_resistant").acr == PHR
    assert rule.raised(StepDemand(acr=AAL3), "ask_phishing_resistant").acr == AAL3
    assert rule.raised(StepDemand(), "ask_factor").acr is None


def test_sets_of_verdicts_do_not_overlap() -> None:
    assert rule.ASKS.isdisjoint(rule.KEEPS_OUT)
    assert rule.ASKS | rule.KEEPS_OUT | {"allow"} == set(VERDICTS)
