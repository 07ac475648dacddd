"""Signed client assertions (RFC 7523, OpenID Connect Core §9)."""
