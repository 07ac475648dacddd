"""Error texts shared by client authentication methods. They reveal nothing about an app."""

from __future__ import annotations

from typing import Final

FAILED: Final = "Client authentication failed."
MISSING: Final = "Client authentication is missing."
ONE_WAY: Final = "Use one way of client authentication only."
MAX_TEXT: Final = 512
"""Maximum number of characters of an id or a secret."""
