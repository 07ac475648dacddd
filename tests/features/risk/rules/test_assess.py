"""Verdict on a sign-in."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.risk import CODES, VERDICTS, Verdict
from doorward.features.risk.rules.assess import assess
from doorward.features.risk.settings import RiskPolicy
from doorward.features.risk.signals.index import SIGNALS
from tests.features.risk.made import BERLIN, HOME, LISBON, NOW, before, facts, somewhere


def test_every_signal_is_listed_once_with_its_setting() -> None:
    assert {one.code for one in SIGNALS} == set(CODES)
    assert len(SIGNALS) == len(CODES)
    assert {RiskPolicy().verdict(code) for code in CODES} <= set(VERDICTS)


def test_nothing_to_say_is_allowed() -> None:
    assert assess(facts(), RiskPolicy()) == assess(facts(), RiskPolicy(mode="shadow"))
    assert assess(facts(), RiskPolicy()).verdict == "allow"
    assert assess(facts(), RiskPolicy()).reasons == ()


def test_the_most_severe_verdict_counts_and_comes_first() -> None:
    policy = RiskPolicy(new_country="refuse", new_device="allow", impossible_travel="ask_factor")
    found = assess(facts(where=somewhere(BERLIN), past=tuple(before(600 * at) for at in range(1, 6))), policy)
    assert found.verdict == "refuse"
    assert found.reasons[0].code == "new_country"
    assert found.then == ("refuse", "ask_factor", "allow")
    assert [one.code for one in found.reasons] == ["new_country", "impossible_travel", "new_device"]


def test_verdicts_show_both_places() -> None:
    """Verdicts show both places (FusionAuth#2955)."""
    (travel, country, *_) = assess(facts(where=somewhere(BERLIN), past=(before(600),)), RiskPolicy()).reasons
    assert (travel.code, travel.here, travel.before, travel.before_at) == (
        "impossible_travel",
        BERLIN,
        LISBON,
        NOW - 600,
    )
    assert (country.code, country.here, country.before) == ("new_country", BERLIN, LISBON)


@pytest.mark.requirement(95)
@pytest.mark.parametrize("wanted", VERDICTS)
def test_no_policy_keeps_an_owner_out_on_a_known_device(wanted: Verdict) -> None:
    policy = structs.replace(RiskPolicy(), **dict.fromkeys(CODES, wanted))
    known = facts(
        device_known=True,
        where=somewhere(BERLIN, kind="anonymous"),
        browser="curl",
        breached=True,
        misses_from_network=10_000,
        accounts_on_network=10_000,
        networks_on_account=10_000,
        changed_at=NOW,
        replayed_at=NOW,
        two_networks_at=NOW,
        two_networks=(HOME, HOME),
        past=(before(400 * 86_400),),
    )
    found = assess(known, policy)
    assert VERDICTS.index(found.verdict) <= VERDICTS.index("ask_phishing_resistant")
    assert {one.code for one in found.reasons} == {"refresh_replay"}


@pytest.mark.requirement(95)
def test_strangers_tries_ask_nothing_of_an_owner_on_a_known_device() -> None:
    tried = facts(
        device_known=True, misses_from_network=10_000, networks_on_account=10_000, where=somewhere(BERLIN)
    )
    assert assess(tried, RiskPolicy()).verdict == "allow"
