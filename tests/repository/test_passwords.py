"""One way to replace a password: `Account.with_password`, which gives each its own version (docs/decisions/0179)."""

from __future__ import annotations

import re

from tests.repository import tree

REPLACED = re.compile(r"replace\([^()]*\bpassword_(?:hash|changed_at|version)\s*=")


def test_a_password_is_replaced_with_its_version() -> None:
    assert REPLACED.search("structs.replace(account, password_hash=hashed)")
    for file in sorted(tree.SERVER.rglob("*.py")):
        if file.name != "account.py":
            assert not REPLACED.search(file.read_text("utf-8")), f"{file}: use Account.with_password"
