"""Logout (OpenID Connect RP-Initiated and Back-Channel Logout)."""
