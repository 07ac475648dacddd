"""Snapshot of the feed: its name, and what is signed about it."""

from __future__ import annotations

from hashlib import sha256

import pytest

from doorward.core.model.revocation import HISTORY_BITS, Revocation
from doorward.features.revocations.rules import snapshot as rule
from doorward_verify.encoding import b64url_encode
from doorward_verify.revocation import id_hash
from doorward_verify.revoked_table import packed

NOW = 1_800_000_000
API = "https://api.example.com"


def test_a_name_changes_with_salt_history_minute_and_part() -> None:
    name = rule.snapshot_name("salt", 7, NOW, rule.ALL)
    assert name == rule.snapshot_name("salt", 9, NOW + rule.EVERY - 1, rule.ALL)
    others = {
        rule.snapshot_name("pepper", 7, NOW, rule.ALL),
        rule.snapshot_name("salt", 1 << HISTORY_BITS | 7, NOW, rule.ALL),
        rule.snapshot_name("salt", 7, NOW + rule.EVERY, rule.ALL),
        rule.snapshot_name("salt", 7, NOW, rule.part_name(API)),
    }
    assert len(others | {name}) == 5


@pytest.mark.requirement(98)
def test_a_part_has_the_same_name_everywhere_and_no_sign_that_an_address_forbids() -> None:
    assert rule.part_name(None) == "all"
    assert rule.part_name(API) == sha256(API.encode()).hexdigest()[:32]
    assert rule.part_name("api of \ud800") != rule.part_name("api of ")


@pytest.mark.requirement(58)
def test_what_is_signed_says_whose_it_is_from_where_and_for_how_long() -> None:
    said = rule.claims(
        b"records",
        issuer="https://auth.example.com",
        salt="salt",
        seq=7,
        now=NOW,
        part="all",
        count=2,
        kinds={"sid", "grant"},
    )
    assert said == {
        "iss": "https://auth.example.com",
        "iat": NOW,
        "exp": NOW + 900,
        "salt": "salt",
        "cursor": "salt.7",
        "part": "all",
        "kinds": ["grant", "sid"],
        "count": 2,
        "sha256": b64url_encode(sha256(b"records").digest()),
    }


@pytest.mark.requirement(98)
def test_a_record_has_the_hash_and_the_times() -> None:
    entry = Revocation("sub", "usr_ada", NOW, NOW + 9, NOW)
    assert rule.record("salt", entry) == (id_hash("salt", "sub", "usr_ada"), packed(NOW, NOW + 9))
    # the kinds whose entries concern every token have no bound
    assert rule.record("salt", Revocation("sid", "ses_one", NOW, NOW + 9))[1] == packed(None, NOW + 9)
