"""Tests of sign-ins that a program stored before their documents had further members."""

from __future__ import annotations

from msgspec.json import decode

from doorward.core.model.signin import SignIn
from doorward.storage.sql.statements import to_json
from tests.repository.test_pinned_results import DOCUMENTS


def test_a_sign_in_is_written_back_as_an_older_program_stored_it() -> None:
    """docs/incidents/0089-a-new-member-of-a-sign-in-lost-every-write.md: each step compares the whole document."""
    stored = DOCUMENTS["sign-in"]
    assert to_json(decode(stored, type=SignIn)) == stored
