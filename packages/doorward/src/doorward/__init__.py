"""Doorward: the authentication server. Start reading at `wiring/` (what is put together) or `actions/` (what happens)."""

__version__ = "0.1.0"
