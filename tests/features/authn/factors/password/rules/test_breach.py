"""Lookup of a password in breach lists."""

from __future__ import annotations

import pytest

from doorward.features.authn.factors.password.rules import breach


def test_the_lookup_key_equals_the_published_hash() -> None:
    # SHA-1 (FIPS 180) of "password"; every public list contains this line.
    assert breach.key("password") == "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"


@pytest.mark.requirement(78)
def test_case_and_affixes_do_not_hide_a_common_password() -> None:
    for typed in ("dragon", "DRAGON", "Dragon!!!", "123dragon123"):
        assert breach.common(typed), typed
    assert not breach.common("teapot gravel orchid")


@pytest.mark.requirement(78)
def test_repeating_a_common_password_up_to_the_length_does_not_hide_it() -> None:
    for typed in ("passwordpassword", "123456123456123", "DragonDragonDragon1!", "monkeymonkeymonk"):
        assert breach.common(typed), typed
    for typed in ("teapot gravel teapot", "abcabx", "x", ""):
        assert not breach.common(typed), typed


@pytest.mark.requirement(78)
def test_thousands_of_common_passwords_that_the_lengths_allow_are_known() -> None:
    """ASVS 6.2.4: 3,000 that match the policy. With a second factor they are in the list as they are; alone, as people stretch them."""
    from zxcvbn.matching import RANKED_DICTIONARIES

    known = sorted(RANKED_DICTIONARIES["passwords"], key=RANKED_DICTIONARIES["passwords"].__getitem__)
    beside = [word for word in known if len(word) >= 8]
    assert len(beside) > 3000
    assert all(breach.common(word) for word in beside[:3000])
    stretched = [(word * 15)[: max(15, 2 * len(word))] for word in known[:3000]]
    assert min(len(word) for word in stretched) == 15
    assert len(set(stretched)) > 2900
    assert [word for word in stretched if not breach.common(word)] == []


def test_each_spelling_is_looked_up_once() -> None:
    assert breach.spellings("plain") == ("plain",)
    assert breach.spellings("Plain1") == ("Plain1", "plain1", "plain")
