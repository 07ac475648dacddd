"""Who is there from the beginning? People with passwords that everybody may know: this is development."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class SeededPerson(Struct, frozen=True):
    """Somebody to sign in as; `can` says in words what their roles let them do."""

    email: str
    name: str
    password: str
    roles: tuple[str, ...]
    can: str


PEOPLE: Final = (
    SeededPerson(
        "alice@example.com", "Alice Archer", "seven green lanterns", ("customer",), "sees her orders"
    ),
    SeededPerson(
        "bob@example.com",
        "Bob Baker",
        "quiet harbour at noon",
        ("clerk",),
        "sees all orders, places new ones",
    ),
    SeededPerson(
        "carol@example.com", "Carol Cole", "paper boats in april", (), "may sign in, and nothing else"
    ),
)
