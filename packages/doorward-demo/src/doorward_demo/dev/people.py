"""Seeded people, with public passwords: this is development."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class SeededPerson(Struct, frozen=True):
    """A person to sign in as; `can` describes the permissions of their roles."""

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
    SeededPerson(
        "dora@example.com",
        "Dora Dane",
        "nine copper kettles",
        ("auditor",),
        "sees all orders; needs a second step",
    ),
)
