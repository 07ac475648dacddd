"""Notices for the operator: each logged once."""

from __future__ import annotations

from doorward.adapters.operator_notices import MOST_OF_AN_APP, OperatorNotices
from tests.logged import captured


def test_each_notice_is_logged_once() -> None:
    with captured() as lines:
        notices = OperatorNotices()
        for _ in range(3):
            notices.once("scope.ignored", "app_one", "phone", scope="phone", nearest=None)
            notices.once("scope.ignored", "app_two", "phone", scope="phone")
            notices.once("scope.ignored", "app_one", "adress", scope="adress")
            notices.once("another event", "app_one", "phone", scope="phone")
    assert [(line["event"], line["client_id"], line["scope"]) for line in lines] == [
        ("scope.ignored", "app_one", "phone"),
        ("scope.ignored", "app_two", "phone"),
        ("scope.ignored", "app_one", "adress"),
        ("another event", "app_one", "phone"),
    ]


def test_invented_names_fill_neither_log_nor_memory() -> None:
    with captured() as lines:
        notices = OperatorNotices()
        for number in range(MOST_OF_AN_APP * 5):
            notices.once("scope.ignored", "app_one", f"name{number}")
    assert len(lines) == MOST_OF_AN_APP
    assert "note" in lines[-1]
    assert not any("note" in line for line in lines[:-1])
