"""Feed pages: every cursor gets all later entries, whatever was added, dropped or replaced meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode

from doorward.core.model.revocation import HISTORY_BITS, Revocation
from doorward.features.revocations.rules import pages as rule
from doorward.features.revocations.rules.pages import FeedPages
from doorward.features.revocations.rules.wire import plain

NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "PAGE", 10)
    monkeypatch.setattr(rule, "NEWS", 3)


def entry(seq: int, **changes: Any) -> Revocation:
    values: dict[str, Any] = {
        "kind": "grant",
        "ref": f"g{seq}",
        "at": NOW,
        "expires_at": NOW + 400,
        "seq": seq,
    }
    return Revocation(**values | changes)


def filled(count: int, *, history: int = 0) -> FeedPages:
    made = FeedPages()
    made.feed(history << HISTORY_BITS | count, [entry(seq) for seq in range(1, count + 1)])
    return made


def told(text: bytes) -> list[str]:
    return [one["id"] for one in decode(b"[" + text + b"]")]


def followed(pages: FeedPages, seq: int) -> list[str]:
    """The names that a reader gets from this cursor onwards, each once."""
    seen: dict[str, None] = {}
    while True:
        part = pages.after(seq, "plain", plain)
        seen |= dict.fromkeys(told(part.text))
        assert part.seq > seq or part.last
        seq = part.seq
        if part.last:
            assert seq == pages.seq
            return list(seen)


@pytest.mark.requirement(93)
@given(st.integers(0, 45), st.integers(0, 50), st.integers(0, 2))
def test_a_reader_at_any_cursor_gets_all_later_entries(count: int, start: int, history: int) -> None:
    pages = filled(count, history=history)
    wanted = [f"g{seq}" for seq in range(start + 1, count + 1)]
    heard = followed(pages, min(start, count) | history << HISTORY_BITS)
    assert heard[len(heard) - len(wanted) :] == wanted
    assert pages.behind(start) == len(wanted)
    assert [one.ref for one in pages.since(start)] == wanted
    assert len(pages) == count


def test_a_distant_cursor_gets_a_whole_page_and_a_near_one_only_the_news() -> None:
    pages = filled(25)
    assert told(pages.after(4, "plain", plain).text) == [f"g{seq}" for seq in range(1, 11)]
    assert told(pages.after(8, "plain", plain).text) == [f"g{seq}" for seq in range(1, 11)]
    assert told(pages.after(23, "plain", plain).text) == ["g24", "g25"]
    assert pages.after(25, "plain", plain).text == b""


def test_the_text_of_a_page_is_built_once_and_appended_to() -> None:
    written: list[int] = []

    def write(one: Revocation) -> bytes:
        written.append(one.seq)
        return plain(one)

    pages = filled(12)
    for _ in range(3):
        assert told(pages.whole("plain", write)) == [f"g{seq}" for seq in range(1, 13)]
    assert written == list(range(1, 13))
    pages.feed(13, [entry(13)])
    assert told(pages.whole("plain", write)) == [f"g{seq}" for seq in range(1, 14)]
    assert written == list(range(1, 14))


def test_the_news_are_encoded_once_for_all_readers_until_the_next_entry() -> None:
    written: list[int] = []

    def write(one: Revocation) -> bytes:
        written.append(one.seq)
        return plain(one)

    pages = filled(14)
    for _ in range(3):
        assert told(pages.after(12, "plain", write).text) == ["g13", "g14"]
        assert told(pages.news(12, "plain", write)) == ["g13", "g14"]
        assert told(pages.news(13, "plain", write)) == ["g14"]
    assert written == [13, 14, 14]
    pages.feed(15, [entry(15)])
    assert told(pages.news(13, "plain", write)) == ["g14", "g15"]
    pages.feed(16, [entry(16, kind="client", ref="app", before=NOW)])
    pages.feed(17, [entry(17, kind="client", ref="app", before=NOW + 1)])
    assert told(pages.news(14, "plain", write)) == ["g15", "app"]


def test_texts_of_the_last_two_editions_are_cached() -> None:
    pages = filled(3)
    texts = {edition: pages.whole(edition, plain) for edition in ("a", "b", "c", "b", "d")}
    assert len(set(texts.values())) == 1


def test_expired_entries_are_dropped_when_they_are_half_of_a_page() -> None:
    pages = FeedPages()
    pages.feed(
        20, [entry(seq, expires_at=NOW + (10 if seq <= 6 or seq == 15 else 400)) for seq in range(1, 21)]
    )
    pages.forget(NOW + 9)
    assert len(pages) == 20
    pages.forget(NOW + 10)
    assert followed(pages, 0) == [f"g{seq}" for seq in range(7, 21)]
    pages.forget(NOW + 400)
    assert len(pages) == 0
    assert pages.seq == 20
    pages.feed(21, [entry(21)])
    assert followed(pages, 3) == ["g21"]


@pytest.mark.requirement(93)
def test_a_later_bound_replaces_the_earlier_one() -> None:
    pages = FeedPages()
    for seq in range(1, 30):
        pages.feed(seq, [entry(seq, kind="client", ref="app", before=NOW + seq, expires_at=NOW + 400 + seq)])
        pages.feed(seq, [])
        assert [(one.ref, one.before) for one in pages.since(0)] == [("app", NOW + seq)]
    pages.feed(30, [entry(30, kind="client", ref="other", before=NOW)])
    assert len(pages) == 2


def test_a_bound_that_covers_less_replaces_nothing() -> None:
    pages = FeedPages()
    pages.feed(1, [entry(1, kind="client", ref="app", before=NOW + 5)])
    pages.feed(2, [entry(2, kind="client", ref="app", before=NOW)])
    pages.feed(3, [entry(3, kind="client", ref="app", before=NOW + 9, expires_at=NOW + 300)])
    assert len(pages) == 3
