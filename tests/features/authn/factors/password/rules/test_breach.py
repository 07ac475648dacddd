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


def test_each_spelling_is_looked_up_once() -> None:
    assert breach.spellings("plain") == ("plain",)
    assert breach.spellings("Plain1") == ("Plain1", "plain1", "plain")
