"""Refresh token grant (RFC 6749 §6) with rotation."""
