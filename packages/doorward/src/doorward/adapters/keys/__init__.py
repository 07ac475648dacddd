"""Signing keys, sealing, and key-encryption keys."""
