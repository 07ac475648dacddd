"""Answers of client authentication that several methods give. They tell a stranger nothing about an app."""

from __future__ import annotations

from typing import Final

FAILED: Final = "Client authentication failed."
MISSING: Final = "Client authentication is missing."
ONE_WAY: Final = "Use one way of client authentication only."
MAX_TEXT: Final = 512
"""Characters that an id or a secret has at most."""
