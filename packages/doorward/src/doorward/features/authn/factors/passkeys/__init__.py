"""Passkeys (Web Authentication Level 3)."""
