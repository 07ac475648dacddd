"""The work of an action, step by step: what makes two answers equally slow, whatever else this machine does meanwhile.

    with recorded() as known:
        await ask(house, "ada@example.com")
    with recorded() as unknown:
        await ask(house, "nobody@example.com")
    assert known == unknown

A step is a statement (without its values), one run of a password hash with its cost, one estimate of a password's strength, one encryption
at rest, or one rendered mail. Times themselves are measured by the soak (tests/attacks/test_enumeration.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from doorward.adapters.hashing import argon2, argon2_phc
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.mail.queue import SealedMailQueue
from doorward.features.authn.factors.password.rules import password
from doorward.storage.sqlite.database import SqliteDatabase
from tests.containers import CHEAP_HASHING

RATED, SEALED, MAILED = "a password is rated", "something is sealed", "a mail is written"
HASHED = argon2_phc.parameters(CHEAP_HASHING.memory_kib, CHEAP_HASHING.iterations, CHEAP_HASHING.lanes)


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The steps of what runs inside, in their order, over every server in this process with a SQLite database."""
    steps: list[str] = []
    with pytest.MonkeyPatch.context() as patch:

        def watch(owner: Any, name: str, described: Callable[..., Sequence[str]]) -> None:
            original = getattr(owner, name)

            def watched(*given: Any, **named: Any) -> Any:
                steps.extend(described(*given, **named))
                return original(*given, **named)

            patch.setattr(owner, name, watched)

        # `one` reads by `all`
        watch(SqliteDatabase, "all", lambda _, sql, values: [sql])
        watch(SqliteDatabase, "snapshot", lambda _, *queries: [sql for sql, _ in queries])
        watch(SqliteDatabase, "apply", lambda _, written: [sql for sql, _, _ in written])
        watch(argon2_phc, "made", lambda clear, salt, *, length, **cost: [argon2_phc.parameters(**cost)])
        watch(argon2_phc, "matches", lambda stored, clear: ["$".join(stored.split("$")[:4]) + "$"])
        watch(argon2, "verify_imported", lambda stored, *typed: [f"imported {stored[:8]}"])
        watch(password, "judge", lambda *_, **__: [RATED])
        watch(KeyedSealer, "seal", lambda *_: [SEALED])
        watch(SealedMailQueue, "write", lambda *_, **__: [MAILED])
        yield steps
