"""Tests of the architecture page: its picture matches the sources, and each question is answered by an existing path."""

from __future__ import annotations

import re

from tests.repository import tree
from tools import architecture_diagram

PAGE = tree.DOCS / "explain" / "architecture.md"


def test_the_picture_is_up_to_date() -> None:
    assert architecture_diagram.PICTURE.read_text("utf-8") == architecture_diagram.drawn(), (
        "run `make pages` and commit the picture"
    )


def test_twenty_questions_are_answered_by_an_existing_path() -> None:
    section = PAGE.read_text("utf-8").split("## Where is it?")[1].split("\n## ")[0]
    answers = re.findall(r"^\| .*\? \| `([^`]+)` \|$", section, re.MULTILINE)
    assert len(answers) == 20
    assert [path for path in answers if not (tree.SERVER / path).is_file()] == []


def test_every_layer_and_feature_is_in_the_picture() -> None:
    floors, features = architecture_diagram.rows()
    assert {row.name for row in floors} >= {"core", "storage", "adapters", "web", "features", "app", "cli"}
    assert {row.name for row in features} >= {"authn", "oauth", "sessions"}
    assert all(row.sentence for row in (*floors, *features))
