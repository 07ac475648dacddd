"""Replay of past sign-ins."""

from __future__ import annotations

from typing import Any

from doorward.core.model.audit import AuditEvent
from doorward.core.model.risk import Whereabouts
from doorward.features.risk.rules.replay import replay, tried
from doorward.features.risk.settings import RiskPolicy
from tests.features.risk.made import BERLIN, DAY, HOME, NOW, somewhere

AGENT = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"


def locate(address: str | None) -> Whereabouts:
    return HOME if address == "home" else somewhere(BERLIN, f"n{address}")


def line(kind: str, at: int, address: str = "home", who: str | None = "ada", **detail: Any) -> AuditEvent:
    return AuditEvent(
        id=f"aud_{at}",
        at=NOW + at,
        kind=kind,
        account_id=who,
        address=address,
        user_agent=AGENT,
        detail=detail,
    )


def test_facts_of_a_sign_in_come_from_the_lines_before_it() -> None:
    lines = [
        line("sign_in.succeeded", -DAY, new_device="yes"),
        line("sign_in.failed", -10, "far", who=None),
        line("sign_in.failed", -9, "far", "bob"),
        line("sign_in.failed", -8, "far"),
        line("sign_in.succeeded", -5, "far", "bob", new_device="yes"),
        line("sign_in.succeeded", 0, "far", new_device="yes"),
        line("sign_in.succeeded", 60, "far"),
    ]
    bob, ada, again = replay(lines, locate, since=NOW - 3600, window=900)
    assert (bob.line.account_id, ada.line.account_id) == ("bob", "ada")
    assert not ada.facts.device_known
    assert ada.facts.misses_from_network == 3
    assert ada.facts.accounts_on_network == 1
    assert ada.facts.networks_on_account == 1
    assert [one.at for one in ada.facts.past] == [NOW - DAY]
    assert again.facts.device_known
    assert len(again.facts.past) == 2


def test_a_question_and_its_answer_are_one_sign_in_as_it_began() -> None:
    lines = [
        line("sign_in.succeeded", -DAY),
        line("risk.assessed", 0, "far", new_device="yes", verdict="ask_factor"),
        line("sign_in.succeeded", 90, "far", new_device="yes"),
    ]
    (found,) = replay(lines, locate, since=NOW - 1, window=900)
    assert found.ended
    assert found.facts.at == NOW


def test_a_question_without_an_answer_is_a_sign_in_too() -> None:
    lines = [
        line("sign_in.succeeded", -DAY),
        line("risk.shadowed", 0, "far", new_device="yes"),
        line("risk.assessed", 10, "far", new_device="yes"),
        line("sign_in.succeeded", 7200),
        line("risk.assessed", 7300, "far", new_device="yes"),
    ]
    found = list(replay(lines, locate, since=NOW - 1, window=900))
    assert [(one.line.at - NOW, one.ended) for one in found] == [
        (0, False),
        (10, False),
        (7200, True),
        (7300, False),
    ]


def test_two_policies_are_compared() -> None:
    lines = [
        line("sign_in.succeeded", -DAY),
        line("sign_in.succeeded", 0, "far", new_device="yes"),
    ]
    (found,) = replay(lines, locate, since=NOW - 1, window=900)
    same, stricter = RiskPolicy(), RiskPolicy(new_country="refuse")
    assert not tried(found, same, same).differs
    judged = tried(found, same, stricter)
    assert (judged.now.verdict, judged.changed.verdict, judged.differs) == ("ask_factor", "refuse", True)
    assert judged.changed.reasons[0].before == HOME.place
