"""Test that the prefixes of ids are unchanged: they are in databases, tokens and logs, as the strings of `test_pinned_strings.py` are."""

from __future__ import annotations

from tests.repository.server_texts import calls, value

# `<prefix>_` and a UUIDv7: the ids of rows
ID_PREFIXES = {
    "api",
    "app",
    "aud",
    "bak",
    "cod",
    "dcr",
    "dev",
    "dva",
    "exg",
    "fac",
    "grt",
    "iat",
    "key",
    "lgo",
    "mai",
    "nod",
    "rol",
    "root",
    "ses",
    "sev",
    "sin",
    "sms",
    "tis",
    "tkt",
    "usr",
    "ssm",
}


def test_prefixes_of_ids_are_pinned() -> None:
    assert {value(path, call.args[0]) for path, call, _, _ in calls({"new_id"})} == ID_PREFIXES
