"""Held factors: what operators see of the factors of an account, and how a mail names them to their owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class HeldFactor(Struct, frozen=True, kw_only=True):
    """A second factor as operators see it: no seed, no hash, no credential id."""

    id: str
    kind: str
    added_at: int
    last_used_at: int | None = None
    name: str | None = None
    to: str | None = None
    """Where its codes are sent, masked as on the pages."""
    suspect_at: int | None = None
    """Since when a passkey is refused, because its key seems to exist twice."""


class FactorSummary(Struct, frozen=True, kw_only=True):
    """What operators see of all factors of one kind together: further `members` of the JSON document, and further `lines`, label and text,
    on the terminal."""

    members: Mapping[str, Any] = {}
    lines: tuple[tuple[str, str], ...] = ()


class NoticeName(Struct, frozen=True):
    """A factor in a mail to its owner: a text in English, and the values of its %(name)s."""

    text: str
    values: Mapping[str, str] = {}


class ResetWords(Struct, frozen=True, kw_only=True):
    """The texts in English of the mail about a reset that removed this kind of factor alone, with all backups: its subject, what happened,
    and the label of the link to a new one."""

    subject: str
    removed: str
    again: str
