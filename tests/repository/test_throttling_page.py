"""Test that every sentence of docs/explain/throttling.md has a test that proves it."""

from __future__ import annotations

import re
from typing import Final

import pytest

from doorward.core.model.policy import ThrottlePolicy
from tests.repository import tree

PAGE: Final = (tree.ROOT / "docs/explain/throttling.md").read_text("utf-8")
PASSWORD: Final = "features/authn/factors/password/test_service.py::"
GUESS: Final = "features/rate_limits/test_every_guess.py::"
OUT: Final = "flows/test_locked_out.py::"
RULE: Final = "features/rate_limits/rules/test_attempts.py::"
SENT: Final = "features/authn/flow/test_sent_code.py::"
ATTACK: Final = "attacks/test_sent_codes.py::"
KEY: Final = "features/authn/factors/passkeys/test_proving.py::"
DEVICES: Final = "attacks/test_device_codes.py::"
THROTTLE: Final = "features/rate_limits/test_service.py::"

# Beginnings of sentences or table rows, and the tests that prove them.
SHOWN: Final = {
    "Every guess at a secret": PASSWORD + "test_concurrent_guesses_are_checked_only_up_to_the_limit",
    "A guess is at an account": GUESS + "test_all_kinds_of_guesses_share_one_limit",
    "| password | the name, from": PASSWORD
    + "test_unknown_people_are_throttled_at_the_same_attempt_as_known_ones",
    "| password | the name, on": PASSWORD
    + "test_a_known_device_is_throttled_and_known_only_for_its_own_people",
    "| authenticator, recovery": "features/authn/factors/totp/test_service.py::test_guesses_are_counted_across_sign_ins_and_addresses",
    "| passkey | the person, from": KEY
    + "test_guesses_are_counted_for_the_account_the_device_and_the_network",
    "| passkey | the person, on": KEY + "test_guesses_are_counted_for_the_account_the_device_and_the_network",
    "| mailed code": "features/accounts/test_verify_address.py::test_a_new_mail_does_not_reset_the_count_of_guesses",
    "| answers of external": "features/authn/providers/test_signing_in.py::test_guesses_of_codes_are_counted",
    "| code that a device shows": DEVICES
    + "test_user_codes_are_guessed_ten_times_whoever_signs_in_and_however_often",
    "| | the person, on one device": DEVICES
    + "test_user_codes_are_guessed_ten_times_whoever_signs_in_and_however_often",
    "| anything, and wrong": GUESS + "test_wrong_guesses_of_every_kind_use_up_the_networks_limit",
    "| mails that strangers": OUT
    + "test_a_stranger_who_fills_every_counter_of_an_account_does_not_block_the_owners_reset",
    "| | the address, for all networks that": RULE
    + "test_a_new_requester_gets_a_mail_although_the_shared_counter_is_full",
    "| | the address, for all networks |": OUT
    + "test_mails_per_day_are_limited_and_then_the_page_shows_what_helps",
    "| | the network": RULE + "test_mails_are_counted_for_each_requester_and_in_total",
    "| mails that a known": RULE + "test_strangers_can_cause_at_most_fifty_mails_a_day",
    "| codes sent": SENT + "test_a_request_gets_five_messages_in_ten_minutes",
    "| | the account": SENT + "test_an_account_has_three_live_codes",
    "Whoever knows the password": ATTACK + "test_many_sign_ins_from_many_addresses_do_not_bomb_the_owner",
    "| text messages": "attacks/test_toll_fraud.py::test_a_range_of_numbers_gets_few_messages",
    "| registrations of apps": "features/oauth/registration/test_service.py::test_open_registrations_are_limited_by_network_and_in_number",
    "| calls for documents": "attacks/test_documents_of_apps.py::test_nobody_uses_this_server_to_call_a_host_often",
    "So a code is sent at once": "features/authn/factors/email_code/test_second_step.py::test_where_there_is_a_choice_a_mail_is_sent_only_on_request",
    "Each code takes five guesses": SENT + "test_five_guesses_are_compared_even_when_sent_at_once",
    "Where three codes": SENT + "test_the_owner_gets_a_code_on_a_known_device_whatever_others_asked_for",
    "Beside each of the first nine": PASSWORD + "test_a_slow_attacker_gets_at_most_a_hundred_attempts_a_day",
    "After 100 failures in a row": KEY
    + "test_after_a_hundred_failures_in_a_row_a_passkey_is_refused_from_elsewhere",
    "Any second step or passkey": "features/authn/flow/test_failures_in_a_row.py::"
    + "test_the_owner_signs_in_on_a_known_device_and_ends_it",
    "A full counter answers 429": OUT + "test_mails_per_day_are_limited_and_then_the_page_shows_what_helps",
    "Being refused": THROTTLE + "test_a_refused_attempt_is_not_counted_and_does_not_extend_the_wait",
    "Success empties": PASSWORD + "test_success_resets_the_count_of_failures",
    "The network's counters count failures": GUESS + "test_successful_sign_ins_are_not_counted",
    "An IPv4 address counts": "features/rate_limits/rules/test_network.py::test_an_ipv6_household_is_one_address",
    "An IPv6 address counts": "features/rate_limits/rules/test_network.py::test_a_larger_block_has_a_higher_limit_but_not_in_proportion_to_its_size",
    "For mails, a /48": OUT
    + "test_the_networks_of_one_site_count_as_one_requester_and_the_owners_as_another",
    "A device is known": "features/accounts/test_reset_password.py::test_a_reset_allows_sign_in_when_the_limit_is_used_up_by_others",
    "It has a cookie": RULE + "test_a_known_device_shares_no_counter_with_other_requesters",
    "The network's counters neither": OUT
    + "test_a_guesser_behind_the_same_address_does_not_block_a_known_device",
    "For every other account": OUT + "test_a_guesser_behind_the_same_address_does_not_block_a_known_device",
    "An attacker can fill": OUT
    + "test_a_stranger_who_fills_every_counter_of_an_account_does_not_block_the_owners_reset",
    "Then an owner on a new device": OUT
    + "test_a_stranger_who_fills_every_counter_of_an_account_does_not_block_the_owners_reset",
    "A network that has not asked": OUT
    + "test_a_stranger_who_fills_every_counter_of_an_account_does_not_block_the_owners_reset",
    "What an attacker with very many": OUT
    + "test_mails_per_day_are_limited_and_then_the_page_shows_what_helps",
    "Wrong mailed codes": GUESS + "test_wrong_codes_do_not_block_the_link",
    "It carries 256 bits": GUESS + "test_wrong_codes_do_not_block_the_link",
    "The code beside it": GUESS + "test_a_reset_code_is_longer_than_a_sign_up_code",
    "What the server drew": "adapters/test_random_and_seal.py::test_a_token_has_256_bits_in_43_characters",
    "Apps that fail": "features/oauth/client_auth/test_service.py::test_wrong_guesses_are_slowed_down_and_the_right_secret_still_works",
    "The counters' names": THROTTLE + "test_counter_keys_contain_no_names",
    "A reader of the database": THROTTLE + "test_counter_keys_contain_no_names",
    "They go when": "storage/test_commit.py::test_a_sweep_removes_expired_rows_in_small_batches",
    "A try is counted in all": THROTTLE + "test_in_one_process_exactly_the_limit_is_checked",
    "So of a thousand": THROTTLE + "test_over_several_processes_exactly_the_limit_is_checked",
    "[What happens when": "flows/test_cache.py::test_a_cache_outage_locks_nobody_out_and_gives_no_extra_guess",
    "Each of these leaves": "features/rate_limits/rules/test_budget.py::test_changes_have_a_window_and_a_day",
    "| name and language": "features/rate_limits/test_page_budgets.py::test_profile_changes_are_limited_within_a_window",
    "| what is set up": "features/rate_limits/test_page_budgets.py::test_authenticator_set_ups_are_limited",
    "| what the password is typed again": "features/rate_limits/test_page_budgets.py::test_a_stolen_session_cannot_use_up_the_limit_of_the_password_holder",
    "| reports of": "features/rate_limits/test_page_budgets.py::test_reports_always_take_effect_but_only_some_are_audited",
    "| access tokens": "features/oauth/revocation/test_service.py::test_one_person_at_one_app_has_a_shared_budget_over_all_grants_and_is_never_refused",
    "| right passwords": "features/rate_limits/test_page_budgets.py::test_sessions_started_with_a_known_password_are_limited",
    "Wrong guesses from one network": OUT + "test_wrong_codes_from_mails_use_up_the_networks_tries",
}


def said() -> list[str]:
    """The page's sentences, and the rows of its table."""
    found: list[str] = []
    for line in PAGE.splitlines():
        if line.startswith(("| What", "|---", "#")) or not line.strip():
            continue
        found += [line] if line.startswith("|") else re.split(r"(?<=[.])\s+(?=[A-Z\[])", line)
    return found


@pytest.mark.requirement(95, 96)
def test_every_sentence_has_a_test() -> None:
    bare = [sentence for sentence in said() if not any(sentence.startswith(begins) for begins in SHOWN)]
    assert not bare, bare
    idle = [begins for begins in SHOWN if not any(sentence.startswith(begins) for sentence in said())]
    assert not idle, idle
    for test in SHOWN.values():
        path, _, name = test.partition("::")
        assert f"def {name}(" in (tree.ROOT / "tests" / path).read_text("utf-8"), test


@pytest.mark.parametrize("name", ThrottlePolicy.__struct_fields__)
def test_the_numbers_of_the_page_are_the_defaults(name: str) -> None:
    default = getattr(ThrottlePolicy(), name)
    assert re.search(rf"`throttle\.{name}` \({default}\b", PAGE), f"throttle.{name} ({default})"
