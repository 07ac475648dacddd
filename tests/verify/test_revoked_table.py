"""Compact table of revocations: look-ups, merges, and the memory that it takes."""

import tracemalloc
from hashlib import sha256

import pytest
from msgspec import structs

from doorward_verify.revocation import MOST_NEWS, Entry, Feed, RevocationView, hidden
from doorward_verify.revoked_table import (
    KEY_BYTES,
    LONGEST,
    RECORD_BYTES,
    InvalidTable,
    RevokedTable,
    both,
    merged,
    packed,
)
from tests.verify.test_revocation import SALT, TOKEN
from tests.verify.tokens import NOW


def key(number: int) -> bytes:
    return sha256(b"%d" % number).digest()[:KEY_BYTES]


def news(*numbers: int, before: int | None = None, exp: int = NOW + 300) -> dict[bytes, int]:
    return {key(number): packed(before, exp) for number in numbers}


def test_what_is_in_a_table_is_found_and_nothing_else() -> None:
    table = merged((), news(*range(20_000)), NOW)
    assert len(table) == 20_000
    assert all(table.before(key(number)) == LONGEST for number in range(20_000))
    assert all(table.before(key(number)) == -1 for number in range(20_000, 40_000))


@pytest.mark.parametrize("count", [0, 1, 2, 300, 70_000])
def test_the_filter_hides_no_entry_and_has_at_most_two_mib(count: int) -> None:
    """It is made for the number of entries: from one byte to 24 bits of the hash."""
    keys = sorted({key(number) for number in range(min(count, 300))})
    many = sorted([*keys, *(number.to_bytes(3, "big") + b"\7" * 13 for number in range(count - len(keys)))])
    table = RevokedTable(b"".join(one + packed(5, NOW).to_bytes(8, "big") for one in many))
    assert len(table) == count
    assert all(table.before(one) == 5 for one in (*keys, *many[:: max(1, count // 2000)]))
    missing = sum(table.before(key(-number)) for number in range(1, 3000))
    assert missing == -2999
    assert table.size - count * RECORD_BYTES - 4 * 65_537 <= 2**21


def test_the_first_and_the_last_places_of_the_index_are_used() -> None:
    ends = [b"\0" * KEY_BYTES, b"\xff" * KEY_BYTES]
    table = merged((), dict.fromkeys(ends, packed(5, NOW)), 0)
    assert [table.before(one) for one in ends] == [5, 5]
    assert RevokedTable(b"").before(ends[0]) == -1


def test_the_same_bytes_across_two_records_are_no_entry() -> None:
    """The search sees the table as one text: only what begins at a record counts."""
    first = b"\0\0" + b"\1" * 14
    across = b"\0\0" + b"\2" * 14
    # the second record holds `across` at its ninth byte, beginning in its hash and ending in its times
    second = b"\0\0" + b"\3" * 6 + across
    table = RevokedTable(first + packed(1, 2).to_bytes(8, "big") + second)
    assert table.records.find(across) > 0
    assert table.before(across) == -1
    assert table.before(first) == 1
    both_of_them = RevokedTable(first + b"\0" * 8 + second + across + packed(7, 2).to_bytes(8, "big"))
    assert both_of_them.before(across) == 7


def test_a_merge_joins_tables_and_news_and_drops_what_has_expired() -> None:
    one = merged((), news(*range(100)), NOW)
    two = merged((), news(*range(100, 200), exp=NOW - 1), 0)
    table = merged((one, two), news(*range(200, 300)) | news(300, exp=NOW - 1), NOW)
    assert len(table) == 200
    assert [table.before(key(number)) for number in (0, 99, 100, 199, 200, 299, 300)] == [
        *(LONGEST, LONGEST, -1, -1, LONGEST, LONGEST, -1)
    ]


def test_of_two_records_of_one_id_the_later_times_count() -> None:
    assert both(packed(5, 90), packed(7, 80)) == packed(7, 90)
    old = merged((), news(1, 2, before=50, exp=NOW + 900), 0)
    new = merged((old,), news(1, before=70, exp=NOW + 100), 0)
    assert (len(new), new.before(key(1)), new.before(key(2))) == (2, 70, 50)
    assert len(merged((new,), {}, NOW + 900)) == 2


@pytest.mark.parametrize(
    "records", [b"x" * 23, b"\1" * 24 + b"\0" * 24, b"\0\2" + b"\0" * 22 + b"\0\1" + b"\0" * 22]
)
def test_bytes_that_are_no_sorted_records_are_refused(records: bytes) -> None:
    with pytest.raises(InvalidTable):
        RevokedTable(records)


def test_times_outside_of_a_record_become_its_limits() -> None:
    """The most careful reading: a later `before` revokes more, and a later `exp` is kept longer."""
    assert packed(2**40, 2**50) == packed(None, LONGEST)
    assert packed(-5, -5) == 0


def concealed(*numbers: int, exp: int = NOW + 300) -> list[Entry]:
    return [Entry("sid", hidden(SALT, "sid", f"ses_{number}"), exp) for number in numbers]


def ended(view: RevocationView, sid: str) -> bool:
    return view.revokes(structs.replace(TOKEN, sid=sid))


def filled(count: int, *, exp: int = NOW + 300) -> RevocationView:
    made = RevocationView()
    made.apply(Feed("1", True, concealed(*range(count), exp=exp), salt=SALT), NOW)
    return made


@pytest.mark.requirement(58)
def test_a_merge_beside_the_view_loses_nothing() -> None:
    """A revocation that arrives while a merge is done stands in the view before, meanwhile and after."""
    made = filled(MOST_NEWS)
    generation = made.generation
    merge = made.merge(NOW)
    assert merge is not None
    made.apply(Feed("2", False, concealed(1, 100_000), salt=SALT), NOW)
    assert ended(made, "ses_5")
    made.take(merge, merge.table(lambda: None))
    assert made.generation == generation + 1  # by the news alone: results that are remembered stay
    assert [ended(made, f"ses_{number}") for number in (5, 1, 100_000, 100_001)] == [True, True, True, False]
    assert made.merge(NOW) is None


def test_a_merge_of_a_view_that_was_replaced_is_dropped() -> None:
    made = filled(MOST_NEWS)
    merge = made.merge(NOW)
    assert merge is not None
    made.apply(Feed("9", True, concealed(7), salt=SALT), NOW)
    made.take(merge, merge.table(lambda: None))
    assert len(made) == 1


def test_a_table_of_which_much_has_expired_is_merged() -> None:
    made = filled(MOST_NEWS)
    merge = made.merge(NOW)
    assert merge is not None
    made.take(merge, merge.table(lambda: None))
    assert made.merge(NOW + 300) is None
    again = made.merge(NOW + 361)
    assert again is not None
    made.take(again, again.table(lambda: None))
    assert len(made) == 0


@pytest.mark.requirement(58)
def test_a_view_in_pages_becomes_tables() -> None:
    """From an issuer that offers no snapshot."""
    made = RevocationView()
    step = MOST_NEWS // 2
    for page in range(5):
        part = concealed(*range(page * step, (page + 1) * step))
        made.apply(Feed(f"{page}", page == 0, part, salt=SALT, more=page < 4), NOW)
        assert len(made) == (0 if page < 4 else 5 * step)
    assert all(ended(made, f"ses_{number}") for number in range(0, 5 * step, 501))
    merge = made.merge(NOW)
    assert merge is not None
    made.take(merge, merge.table(lambda: None))
    assert len(made) == 5 * step
    assert ended(made, f"ses_{5 * step - 1}")


def test_a_record_takes_24_bytes() -> None:
    """A million take 24 MB, the index 256 KiB and the filter 2 MiB; during a merge the new table stands beside the old one."""
    count = 40_000
    table = merged((), news(*range(count)), NOW)
    made = RevocationView()
    made.apply(Feed("1", True, [], salt=SALT), NOW, (table,))
    assert made.size == count * RECORD_BYTES + 4 * 65_537 + 2**20 // 8
    made.apply(Feed("2", False, concealed(1), salt=SALT), NOW)
    tracemalloc.start()
    again = merged((table,), {}, NOW)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(again) == count
    assert kept < made.size + 10_000
    assert most < 2.2 * made.size
