"""Tests of the retention page: it is up to date, and a column or a condition without words is an error."""

from __future__ import annotations

import anyio
import pytest

from doorward.storage.sql.noun import Expiring
from tools import retention_page as pages


def test_the_page_is_up_to_date() -> None:
    assert pages.PAGE.read_text("utf-8") == anyio.run(pages.made), "run `make pages` and commit the page"


def test_a_table_ends_with_the_account_to_which_it_refers_through_another() -> None:
    refers = {"accounts": [], "factors": ["accounts"], "keys": ["factors"], "loose": [], "sent": []}
    said = pages.page([Expiring(table="sent", keep=600)], ["loose"], refers)
    assert "| `keys` | – | yes |" in said
    assert "| `loose` | – | yes |" in said
    assert "| `sent` | 10 minutes after they expire | – |" in said
    assert said.rstrip().endswith("removed: `accounts`.")


def test_every_table_with_rows_of_an_account_loses_them_with_it_or_says_why_not() -> None:
    """`tables` that name an account and neither refer to it nor are declared by their noun."""
    stay = {
        "audit": "the log of what happened",
        "grants": "a late token finds the end of its grant; swept after it would have expired",
        "logout_notices": "the app has still to be told",
        "security_events": "the app has still to be told, also that the account is gone",
    }
    schema = anyio.run(pages.schema)
    loose = {
        table
        for table, columns in schema.columns.items()
        if "account_id" in columns and not schema.refers[table] and table not in schema.emptied
    }
    assert loose == stay.keys()


def test_what_has_no_words_is_refused() -> None:
    with pytest.raises(KeyError):
        pages.page([Expiring(table="sent", age="seen_at")], [], {"sent": []})
