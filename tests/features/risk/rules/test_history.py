"""Facts of an account's past."""

from __future__ import annotations

from typing import Any

from doorward.core.model.audit import AuditEvent
from doorward.core.model.place import Place
from doorward.core.model.risk import Whereabouts
from doorward.features.risk.rules import history as rule
from tests.features.risk.made import DAY, NOW, facts


def locate(address: str | None) -> Whereabouts:
    return Whereabouts() if address is None else Whereabouts(address, Place("PT"))


def line(kind: str, ago: int, address: str | None = "a", **detail: Any) -> AuditEvent:
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"
    return AuditEvent(
        id=f"aud_{NOW - ago}", at=NOW - ago, kind=kind, address=address, user_agent=agent, detail=detail
    )


def test_only_successes_are_the_past() -> None:
    found = rule.history([line("sign_in.failed", 5, "b"), line("sign_in.succeeded", 10)], locate, NOW)
    assert [(one.at, one.where.network, one.browser) for one in found.past] == [
        (NOW - 10, "a", "Chrome on Windows")
    ]


def test_the_past_says_which_devices_were_new() -> None:
    lines = [line("sign_in.succeeded", 5), line("sign_in.succeeded", 10, new_device="yes")]
    assert [one.new_device for one in rule.history(lines, locate, NOW).past] == [False, True]
    assert [rule.new_device(one) for one in lines] == [False, True]


def test_the_past_is_bounded() -> None:
    found = rule.history([line("sign_in.succeeded", n) for n in range(rule.MOST_PAST + 5)], locate, NOW)
    assert len(found.past) == rule.MOST_PAST


def test_networks_of_wrong_passwords_are_counted_once_and_for_a_day() -> None:
    lines = [
        line("sign_in.failed", 10, "a"),
        line("sign_in.failed", 20, "a"),
        line("sign_in.failed", 30, "b"),
        line("sign_in.failed", 40, None),
        line("sign_in.failed", DAY, "c"),
    ]
    assert rule.history(lines, locate, NOW).networks_failed == 2


def test_changes_by_operators_are_none() -> None:
    lines = [line("second_factor.removed", 5, by="operator"), line("account.email_changed", 50)]
    assert rule.history(lines, locate, NOW).changed_at == NOW - 50


def test_two_networks_are_both_placed() -> None:
    found = rule.history([line("refresh_token.two_networks", 5, one="b", other="c")], locate, NOW)
    assert found.two_networks_at == NOW - 5
    assert found.two_networks == (Whereabouts("b", Place("PT")), Whereabouts("c", Place("PT")))
    assert rule.history([line("refresh_token.two_networks", 5)], locate, NOW).two_networks == (
        Whereabouts(),
        Whereabouts(),
    )


def test_facts_take_the_history() -> None:
    lines = [
        line("sign_in.password_breached", 1),
        line("refresh_token.replayed", 7),
        line("passkey.added", 8),
        line("sign_in.failed", 9),
        line("sign_in.succeeded", 10),
    ]
    found = rule.with_history(facts(past=()), rule.history(lines, locate, NOW))
    assert (found.breached, found.replayed_at, found.changed_at, found.networks_on_account) == (
        True,
        NOW - 7,
        NOW - 8,
        1,
    )
    assert len(found.past) == 1
    assert not rule.with_history(facts(), rule.history(lines, locate, NOW)).two_networks
    later = rule.with_history(facts(at=NOW + rule.MOMENT), rule.history(lines, locate, NOW))
    assert not later.breached
