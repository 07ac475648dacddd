"""Tests of `doorward api-key`."""

from __future__ import annotations

import re

import pytest

from doorward.features.api_keys.rules.key_format import PATTERN
from tests.cli.conftest import Run


def test_a_key_is_made_listed_renewed_and_ended_and_shown_only_when_made(stocked: Run) -> None:
    stocked("app", "create", "robot", "--kind", "service", "--api", "orders")
    made = stocked(
        "api-key", "create", "robot", "--name", "cron", "--api", "orders", "--days", "30", "--json"
    )
    document = made.document
    text = document["key"]
    assert re.fullmatch(PATTERN, text)
    assert document["client_id"].startswith("app_")
    listed = stocked("api-key", "list", "--app", "robot")
    assert document["id"] in listed.out
    assert text not in listed.out
    renewed = stocked("api-key", "rotate", document["id"], "--keep-old", "3600")
    assert re.search(PATTERN, renewed.out)
    assert text not in renewed.out
    assert "old secret until" in renewed.out
    assert "has ended" in stocked("api-key", "revoke", document["id"], "--yes").out
    assert "ended" in stocked("api-key", "list").out


def test_the_expression_is_printed_as_one_line(stocked: Run) -> None:
    assert stocked("api-key", "pattern").out == PATTERN + "\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "nobody", "--name", "x", "--api", "orders"), "There is no app nobody"),
        (("revoke", "key_none", "--yes"), "There is no API key key_none"),
        (("list", "--user", "ada@example.com", "--app", "web"), "one owner"),
    ],
)
def test_mistakes_are_named(stocked: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in stocked("api-key", *arguments).err
