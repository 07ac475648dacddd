"""Wire form of an entry: only what its edition may show."""

from __future__ import annotations

import pytest
from msgspec.json import decode

from doorward.core.model.revocation import Revocation
from doorward.features.revocations.rules import wire
from doorward_verify.revocation import hidden

NOW = 1_800_000_000


def test_the_plain_form_has_before_only_if_the_entry_has_a_bound() -> None:
    assert decode(wire.plain(Revocation("grant", "g", 1, 2))) == {"kind": "grant", "id": "g", "exp": 2}
    bounded = decode(wire.plain(Revocation("sub", "u", 1, 2, 0)))
    assert bounded == {"kind": "sub", "id": "u", "exp": 2, "before": 0}


@pytest.mark.requirement(98)
@pytest.mark.parametrize("kind", ["jti", "grant", "sid", "sub", "client"])
def test_the_hidden_form_is_a_hash_with_salt_and_kind(kind: str) -> None:
    entry = Revocation(kind, "the-name", 1, 2, 0)  # type: ignore[arg-type]
    written = wire.hiding("salt")(entry)
    assert b"the-name" not in written
    assert decode(written)["id"] == hidden("salt", kind, "the-name")
    others = {hidden("salt", other, "the-name") for other in ("jti", "grant", "sid", "sub", "client")}
    assert len(others) == 5
    assert wire.hiding("pepper")(entry) != written


def test_a_salt_lasts_a_day() -> None:
    midnight = NOW - NOW % 86_400
    assert wire.day(midnight) == wire.day(midnight + 86_399) != wire.day(midnight + 86_400)
