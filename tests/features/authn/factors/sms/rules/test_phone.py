"""Phone numbers: what is understood, and where messages are never sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.authn.factors.sms.rules import phone as rule
from doorward.features.authn.factors.sms.rules.phone import Phone, parse

EVERYWHERE = ("DE", "AT", "CH", "GB", "US", "IT", "FR", "EG")


@pytest.mark.parametrize(
    "typed",
    [
        "+491712345678",
        "+49 171 2345678",
        "+49 (0)171 234-5678",
        " \u202a+49 171 2345678\u202c ",
        "\uff0b\uff14\uff19 \uff11\uff17\uff11 \uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "+٤٩ ١٧١ ٢٣٤٥٦٧٨",
        "+۴۹۱۷۱۲۳۴۵۶۷۸",
        "+४९१७१२३४५६७८",
        "0171/2345678",
        "0171.234.5678",
        "0171\u00a0234\u20115678",
        "00491712345678",
        "0049 171 2345678",
    ],
)
def test_a_number_has_one_form(typed: str) -> None:
    assert parse(typed, countries=("DE",)) == Phone("+491712345678", "DE", 49)


def test_a_number_without_a_country_is_read_in_the_persons_own() -> None:
    assert parse("079 123 45 67", countries=EVERYWHERE, region="CH") == Phone("+41791234567", "CH", 41)
    assert parse("079 123 45 67", countries=EVERYWHERE) == "unreadable"
    assert parse("00 41 79 123 45 67", countries=EVERYWHERE) == Phone("+41791234567", "CH", 41)
    assert parse("079 123 45 67", countries=("DE",), region="CH") == "not_mobile", "no country of ours"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "+",
        "hello",
        "1-800-FLOWERS",
        "0171 2345678 ext. 3",
        "+491712345678;ext=3",
        "tel:+491712345678",
        "+491712345678,+491712345679",
        "+491712345678\n+491712345679+",
        "+4917123456789012345678",
        "++491712345678",
        "4+91712345678",
        "+49" + "1" * 300,
        "1" * 41,
        "²" * 50,
    ],
)
def test_what_is_no_number_is_not_guessed_at(typed: str) -> None:
    assert parse(typed, countries=EVERYWHERE) in {"unreadable", "invalid"}


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("+49 900 1 234567", "not_mobile"),  # premium
        ("+49 180 1 234567", "not_mobile"),  # shared cost
        ("+49 800 1234567", "not_mobile"),
        ("+49 30 901820", "not_mobile"),  # landline
        ("+44 70 1234 5678", "not_mobile"),  # personal, charged as premium
        ("+44 56 1234 5678", "not_mobile"),  # voice over IP
        ("+44 76 1234 5678", "not_mobile"),  # pager
        ("+1 900 234 5678", "not_mobile"),
        ("+881 6 1234 5678", "country"),  # satellite
        ("+882 13 123456", "country"),
        ("+1 684 733 1234", "country"),  # shares the calling code of the United States
        ("+44 7781 123456", "country"),  # Guernsey shares that of Great Britain
        ("+7 912 345 67 89", "country"),
        ("+44 7700 900123", "invalid"),
        ("+999 123456", "unreadable"),
    ],
)
@pytest.mark.requirement(93)
def test_numbers_that_earn_money_for_their_owners_get_no_message(typed: str, problem: str) -> None:
    assert parse(typed, countries=EVERYWHERE) in {problem, "invalid"}


def test_numbers_of_a_plan_without_types_are_taken() -> None:
    assert parse("+1 201 555 0123", countries=("US",)) == Phone("+12015550123", "US", 1)


def test_a_number_is_shown_masked() -> None:
    found = parse("+491712345678", countries=("DE",))
    assert isinstance(found, Phone)
    assert found.masked == "+49 ••• ••78"
    assert found.prefix == "+4917123"


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_a_problem(typed: str) -> None:
    found = parse(typed, countries=EVERYWHERE, region="DE")
    if isinstance(found, Phone):
        assert parse(found.e164, countries=EVERYWHERE) == found
        assert found.country in EVERYWHERE
    else:
        assert found in rule.PhoneProblem.__args__


@given(st.text("+0123456789 ()-/.", max_size=20))
def test_the_form_of_a_number_is_stable(typed: str) -> None:
    found = parse(typed, countries=EVERYWHERE, region="GB")
    if isinstance(found, Phone):
        assert parse(found.e164, countries=EVERYWHERE) == found
