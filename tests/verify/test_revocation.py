"""Revocation feed entries: which tokens each revokes, and when it is dropped."""

from typing import Any

import msgspec
import pytest

from doorward_verify.principal import Principal
from doorward_verify.revocation import Entry, Feed, InvalidFeed, RevocationView, hidden, parse_feed
from tests.verify.tokens import NOW

TOKEN = Principal(
    sub="usr_1", client_id="app_1", jti="grt_1.abc", sid="ses_1", issued_at=NOW, expires_at=NOW + 300
)


def view(*entries: Entry) -> RevocationView:
    made = RevocationView()
    made.apply(Feed("1", True, list(entries)), NOW)
    return made


@pytest.mark.requirement(58)
@pytest.mark.parametrize(
    ("entry", "revoked"),
    [
        (Entry("jti", "grt_1.abc", NOW + 300), True),
        (Entry("jti", "grt_1", NOW + 300), False),
        (Entry("jti", "grt_1.abd", NOW + 300), False),
        (Entry("grant", "grt_1", NOW + 300), True),
        (Entry("grant", "grt_", NOW + 300), False),
        (Entry("grant", "grt_1.abc", NOW + 300), False),
        (Entry("grant", "grt_11", NOW + 300), False),
        (Entry("sid", "ses_1", NOW + 300), True),
        (Entry("sid", "ses_2", NOW + 300), False),
        (Entry("sub", "usr_1", NOW + 300, NOW), True),
        (Entry("sub", "usr_1", NOW + 300, NOW - 1), False),
        (Entry("sub", "usr_2", NOW + 300, NOW), False),
        (Entry("client", "app_1", NOW + 300, NOW + 5), True),
        (Entry("client", "app_1", NOW + 300, NOW - 1), False),
        (Entry("client", "usr_1", NOW + 300, NOW), False),
    ],
)
def test_each_kind_of_entry_revokes_its_tokens(entry: Entry, revoked: bool) -> None:
    assert view(entry).revokes(TOKEN) is revoked


def test_a_token_without_grant_or_session_is_not_revoked_by_an_empty_id() -> None:
    bare = Principal(sub="app_2", client_id="app_2", jti="plain", issued_at=NOW)
    made = view(Entry("grant", "", NOW + 9), Entry("sid", "", NOW + 9), Entry("grant", "plain", NOW + 9))
    assert not made.revokes(bare)


def test_of_two_entries_for_one_subject_the_later_time_counts() -> None:
    for order in ((NOW, NOW - 50), (NOW - 50, NOW)):
        assert view(*[Entry("sub", "usr_1", NOW + 300, before) for before in order]).revokes(TOKEN)


def test_a_change_adds_and_a_reset_replaces() -> None:
    made = view(Entry("sid", "ses_1", NOW + 300))
    generation = made.generation
    made.apply(Feed("2", False, [Entry("sid", "ses_2", NOW + 300)]), NOW)
    assert made.revokes(TOKEN)
    assert made.generation > generation
    generation = made.generation
    made.apply(Feed("3", True, []), NOW)
    assert not made.revokes(TOKEN)
    assert made.generation > generation
    assert len(made) == 0


def test_an_answer_without_changes_keeps_cached_results() -> None:
    made = view(Entry("sid", "ses_9", NOW + 300))
    generation = made.generation
    made.apply(Feed("1", False, []), NOW + 5)
    assert made.generation == generation


def test_expired_entries_are_dropped_and_others_stay() -> None:
    made = view(
        Entry("jti", "a.b", NOW + 10), Entry("sub", "usr_9", NOW + 10, NOW), Entry("sid", "ses_1", NOW + 9000)
    )
    assert len(made) == 3
    made.apply(Feed("2", False, []), NOW + 71)  # a minute later than its expiry, for clock skew
    assert len(made) == 1
    assert made.revokes(TOKEN)


def feed(**others: Any) -> bytes:
    entries = [
        {"kind": "sid", "id": "ses_1", "exp": NOW},
        {"kind": "sub", "id": "usr_1", "before": NOW, "exp": NOW},
    ]
    return msgspec.json.encode({"cursor": "7", "reset": False, "entries": entries, **others})


def test_a_feed_in_the_documented_format_is_parsed() -> None:
    found = parse_feed(feed())
    assert (found.cursor, found.reset, len(found.entries)) == ("7", False, 2)


@pytest.mark.requirement(58)
@pytest.mark.parametrize(
    "others",
    [
        {"cursor": 7},
        {"cursor": None},
        {"reset": "yes"},
        {"entries": {}},
        {"entries": [5]},
        {"entries": [{"kind": "sid", "id": 5, "exp": NOW}]},
        {"entries": [{"kind": "sid", "exp": NOW}]},
        {"entries": [{"kind": "sid", "id": "x"}]},
        {"entries": [{"kind": "sub", "id": "x", "exp": NOW}]},
        {"entries": [{"kind": "client", "id": "x", "exp": NOW, "before": "now"}]},
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_read_makes_the_answer_invalid(others: dict[str, Any]) -> None:
    """Skipping it would accept the token that it revokes."""
    with pytest.raises(InvalidFeed):
        parse_feed(feed(**others))


def test_an_unknown_kind_of_a_newer_server_is_named_and_left_out() -> None:
    found = parse_feed(feed(entries=[{"kind": "device", "id": "d"}, {"kind": "sid", "id": "s", "exp": NOW}]))
    assert found.unknown_kinds == ("device",)
    assert [entry.id for entry in found.entries] == ["s"]


SALT = "a-salt-of-today"


def concealed(*entries: Entry) -> list[Entry]:
    return [Entry(one.kind, hidden(SALT, one.kind, one.id), one.exp, one.before) for one in entries]


@pytest.mark.requirement(58, 98)
@pytest.mark.parametrize(
    ("entry", "revoked"),
    [
        (Entry("jti", "grt_1.abc", NOW + 300), True),
        (Entry("jti", "grt_1", NOW + 300), False),
        (Entry("grant", "grt_1", NOW + 300), True),
        (Entry("grant", "grt_1.abc", NOW + 300), False),
        (Entry("sid", "ses_1", NOW + 300), True),
        (Entry("sid", "ses_2", NOW + 300), False),
        (Entry("sub", "usr_1", NOW + 300, NOW), True),
        (Entry("sub", "usr_1", NOW + 300, NOW - 1), False),
        (Entry("client", "app_1", NOW + 300, NOW), True),
        (Entry("client", "usr_1", NOW + 300, NOW), False),
    ],
)
def test_a_hashed_entry_revokes_its_tokens(entry: Entry, revoked: bool) -> None:
    made = RevocationView()
    made.apply(Feed("1", True, concealed(entry), salt=SALT), NOW)
    assert made.revokes(TOKEN) is revoked
    made.apply(Feed("2", False, [], salt=SALT), NOW + 61)  # entries dropped in the meantime change nothing
    assert made.revokes(TOKEN) is revoked


@pytest.mark.requirement(58, 98)
def test_the_hash_is_the_documented_one() -> None:
    assert hidden("salt", "sub", "usr_1") == "p3de1dVL5zLEjgAFFiLNGw"


@pytest.mark.requirement(58)
def test_an_incomplete_view_replaces_nothing() -> None:
    made = view(Entry("sid", "ses_1", NOW + 300))
    generation = made.generation
    made.apply(Feed("1", True, [Entry("sid", "ses_2", NOW + 300)], more=True), NOW)
    assert made.revokes(TOKEN)
    assert made.generation == generation
    made.apply(Feed("2", False, [Entry("grant", "grt_1", NOW + 300)], more=True), NOW)
    made.apply(Feed("3", False, [], more=False), NOW)
    assert made.generation > generation
    assert made.revokes(TOKEN)  # by its grant
    assert len(made) == 2
    # from there the view grows
    made.apply(Feed("4", False, [Entry("sid", "ses_3", NOW + 300)]), NOW)
    assert len(made) == 3


def test_a_view_that_starts_again_discards_the_incomplete_one() -> None:
    made = RevocationView()
    made.apply(Feed("1", True, [Entry("sid", "ses_1", NOW + 300)], more=True), NOW)
    made.apply(Feed("9", True, [Entry("sid", "ses_2", NOW + 300)]), NOW)
    assert not made.revokes(TOKEN)
    made.apply(Feed("1", True, [Entry("sid", "ses_1", NOW + 300)], more=True), NOW)
    made.distrust()
    made.apply(Feed("1", False, []), NOW)
    assert len(made) == 0


def test_a_new_salt_without_a_reset_requests_the_whole_view() -> None:
    made = RevocationView()
    made.apply(Feed("1", True, concealed(Entry("sid", "ses_1", NOW + 300)), salt=SALT), NOW)
    with pytest.raises(InvalidFeed, match="salt"):
        made.apply(Feed("2", False, [], salt="another"), NOW)
    assert made.cursor is None
    assert made.revokes(TOKEN)


@pytest.mark.parametrize(
    "others",
    [
        {"salt": ""},
        {"salt": "x" * 129},
        {"salt": 5},
        {"more": "no"},
        {"salt": SALT},  # with ids that are no hashes
        {"salt": SALT, "entries": [{"kind": "sid", "id": "AAAA", "exp": NOW}]},
        {"salt": SALT, "entries": [{"kind": "sid", "id": "é", "exp": NOW}]},
    ],
    ids=str,
)
def test_a_page_in_another_format_is_invalid(others: dict[str, Any]) -> None:
    with pytest.raises(InvalidFeed):
        parse_feed(feed(**others))


def test_a_page_in_the_documented_format_is_parsed() -> None:
    entries = [{"kind": "sid", "id": hidden(SALT, "sid", "ses_1"), "exp": NOW}]
    found = parse_feed(feed(salt=SALT, more=True, entries=entries))
    assert (found.salt, found.more, len(found.entries)) == (SALT, True, 1)
