"""Values of the risk of a sign-in."""

from __future__ import annotations

from doorward.core.model.risk import CODES, VERDICTS, worst


def test_the_most_severe_verdict_counts() -> None:
    assert worst(()) == "allow"
    assert worst(("ask_factor", "allow", "refuse")) == "refuse"
    assert worst(VERDICTS) == "end"


def test_stored_names_never_change() -> None:
    assert VERDICTS == ("allow", "ask_factor", "ask_phishing_resistant", "refuse", "end")
    assert CODES == (
        "new_device",
        "new_country",
        "impossible_travel",
        "hosting_network",
        "anonymous_network",
        "many_accounts_from_address",
        "many_addresses_on_account",
        "password_spray",
        "breached_password",
        "refresh_replay",
        "family_on_two_networks",
        "recent_change",
        "dormant_account",
    )
