"""Doorward: the authentication server. Start reading at `app/` (what is put together) or `features/` (what happens)."""

__version__ = "0.1.0"
