"""Authenticator apps (RFC 6238)."""
