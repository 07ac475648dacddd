"""Password policy: which passwords may be set."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.policy import PasswordPolicy
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.password import Weak

POLICY = PasswordPolicy()
WORDS = rule.context_words(
    email="ada.lovelace@example.com", name="Ada Lovelace", issuer_host="auth.acme.test", brand="Acme Login"
)
GOOD = "teapot gravel orchid nine"


def judge(typed: str, *, second_factor: bool = False, listed: frozenset[str] = frozenset()) -> Weak | None:
    return rule.judge(
        typed, POLICY, second_factor=second_factor, words=WORDS, listed=lambda key: key in listed
    )


@pytest.mark.requirement(77)
def test_the_minimum_is_fifteen_characters_or_eight_with_a_second_factor() -> None:
    assert judge("kV3#zPq9!mLw2x") == Weak("too_short", 15)
    assert judge("kV3#zPq9!mLw2xT") is None
    assert judge("kV3#zPq", second_factor=True) == Weak("too_short", 8)
    assert judge("kV3#zPq9", second_factor=True) is None


@pytest.mark.requirement(77)
def test_at_least_sixty_four_characters_are_allowed_and_the_limit_is_reported() -> None:
    for count in (64, 200, 256):
        assert judge("".join(chr(0x4E00 + n * 7) for n in range(count))) is None
    assert judge("".join(chr(0x4E00 + n * 7) for n in range(257))) == Weak("too_long", 256)
    assert judge("x" * 1_000_000) == Weak("too_long", 256)


@pytest.mark.requirement(77)
@pytest.mark.parametrize(
    "typed",
    [
        "only lower case letters here",
        "ONLY UPPER CASE LETTERS HERE",
        "8731 4402 9917 3358 6120",
        "žluťoučký kůň úpěl",
        "                 tea ivy oak",
    ],
)
def test_no_character_classes_are_required(typed: str) -> None:
    assert judge(typed) is None


@pytest.mark.requirement(77)
def test_each_code_point_counts_as_one_even_if_normalization_expands_it() -> None:
    assert rule.length("é" * 15) == 15
    assert rule.length("e\u0301" * 15) == 15
    assert rule.length("👩🏽") == 2
    ligature = "\ufdfa"
    assert len(unicodedata.normalize("NFKC", ligature)) == 18
    assert judge(ligature) == Weak("too_short", 15)


@pytest.mark.requirement(78)
def test_nothing_is_truncated_before_hashing() -> None:
    long = GOOD * 10
    assert rule.prepare(long) == long
    assert rule.prepare(long + "x") != rule.prepare(long)
    assert rule.prepare("  spaces stay  ") == "  spaces stay  "


@pytest.mark.requirement(78)
@pytest.mark.parametrize("typed", ["Passw0rd", "password", "iloveyou1", "QWERTYUIOP", "princess!!"])
def test_variants_of_common_passwords_are_refused(typed: str) -> None:
    assert judge(typed, second_factor=True) == Weak("breached")


@pytest.mark.requirement(78)
def test_the_operators_list_applies_regardless_of_strength() -> None:
    from doorward.features.authn.factors.password.rules.breach import key

    assert judge(GOOD) is None
    assert judge(GOOD, listed=frozenset({key(GOOD)})) == Weak("breached")
    assert judge(GOOD.upper(), listed=frozenset({key(GOOD)})) == Weak("breached")


@pytest.mark.requirement(78)
@pytest.mark.parametrize(
    "typed",
    [
        "ada.lovelace@example.com",
        "Ada.Lovelace@Example.Com!",
        "adalovelace2026",
        "acmeloginacmelogin",
        "Acme Login 2026",
        "auth.acme.test1",
        "lovelacelovelace1",
    ],
)
def test_words_about_the_person_or_the_service_are_refused(typed: str) -> None:
    assert judge(typed) == Weak("context")


@pytest.mark.requirement(78)
def test_the_operators_words_are_refused() -> None:
    words = rule.context_words(
        email="ada@example.com", name=None, issuer_host="", brand="", more=("Blue Harbour", "Zürich")
    )

    def told(typed: str) -> Weak | None:
        return rule.judge(typed, POLICY, second_factor=False, words=words, listed=lambda _: False)

    for typed in (
        "BlueHarbour2026!",
        "harbourharbour1",
        "blue harbour blue",
        "ZÜRICH zürich 12",
        "zu\u0308richzu\u0308rich12!",
    ):
        assert told(typed) == Weak("context"), typed
    assert told("paper boats of the harbour") is None
    assert judge("BlueHarbour2026!", second_factor=True) is None


@pytest.mark.requirement(78)
def test_a_familiar_word_inside_a_strong_password_is_allowed() -> None:
    assert judge("my ada likes purple gravel teapots") is None


@pytest.mark.parametrize(
    "typed",
    [
        "aaaaaaaaaaaaaaaaaaaa",
        "123456789012345678",
        "abcabcabcabcabcabc",
        "qwertyuiopasdfgh",
        "passwordpassword",
    ],
)
def test_long_but_easily_guessed_passwords_are_refused(typed: str) -> None:
    found = judge(typed)
    assert found is not None
    assert found.why in {"guessable", "breached"}


def test_an_empty_password_is_reported_as_missing() -> None:
    assert judge("") == Weak("missing")


def test_a_lone_surrogate_is_accepted_and_can_be_hashed() -> None:
    assert rule.prepare("\ud800abc").encode() == "\ufffdabc".encode()


def test_an_operator_may_lower_the_minimum_alone_but_not_raise_it_with_a_second_factor() -> None:
    policy = PasswordPolicy(min_length=10, min_length_with_second_factor=12)
    assert rule.minimum(policy, second_factor=True) == 10


@given(st.text(max_size=120), st.booleans())
def test_any_text_gets_a_verdict(typed: str, second_factor: bool) -> None:
    found = judge(typed, second_factor=second_factor)
    assert found is None or found.why in {
        "missing", "too_short", "too_long", "breached", "guessable", "context"
    }  # fmt: skip


def test_text_that_is_certainly_too_long_is_not_normalized(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/incidents/0036-a-second-for-a-request-full-of-accents.md"""
    prepared: list[int] = []

    def prepare(typed: str) -> str:
        prepared.append(len(typed))
        return unicodedata.normalize("NFKC", typed)

    monkeypatch.setattr(rule, "prepare", prepare)
    policy = PasswordPolicy(max_length=64)
    assert rule.measure("a" + "\u0323\u0307" * 2000, policy, second_factor=False) == Weak("too_long", 64)
    assert prepared == []
    # four code points that compose to one letter
    assert rule.measure("\u03b1\u0313\u0300\u0345" * 64, policy, second_factor=False) is None
