"""Supervisor, workers and sockets."""

from __future__ import annotations

from doorward.core.lean_import import load_without

# Python 3.11 has what it would take from there
load_without("msgspec", "typing_extensions")
