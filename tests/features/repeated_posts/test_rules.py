"""Detection of a repeated POST."""

from __future__ import annotations

from doorward.core.model.digest import digest
from doorward.features.repeated_posts import rules as repeat
from doorward.features.repeated_posts.rules import Kept


def test_a_browser_has_one_slot_out_of_a_fixed_number() -> None:
    places = {repeat.place(f"browser {number}") for number in range(5000)}
    assert repeat.place("browser 7") == repeat.place("browser 7")
    assert len(places) > 3000
    assert min(places) >= 0
    assert max(places) < repeat.PLACES


def test_only_a_form_with_a_unique_value_is_recognised() -> None:
    assert repeat.told_apart("A" * 22)
    for once in (None, "", "short", "A" * 65, "a space in the mid dle", "A" * 21 + "\n"):
        assert not repeat.told_apart(once), once


def test_an_answer_is_valid_only_for_the_session_before_or_after_it() -> None:
    old, new = digest("old"), digest("new")
    changed = Kept(b"", old, new)
    assert repeat.may_have(changed, old)
    assert repeat.may_have(changed, new)
    assert not repeat.may_have(changed, None)
    assert not repeat.may_have(changed, digest("another's"))
    signed_in = Kept(b"", None, new)
    assert repeat.may_have(signed_in, None)


def test_a_stored_answer_prints_nothing() -> None:
    assert repr(Kept(b"secret", None, None)) == "Kept(***)"


def test_a_repeat_waits_at_most_ten_seconds() -> None:
    assert 9 < sum(repeat.PAUSES) <= 10.1
    assert sum(repeat.PAUSES) < repeat.CLAIMED_FOR
