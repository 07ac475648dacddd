"""Signing keys: rotation, wrapping and the root secret."""
