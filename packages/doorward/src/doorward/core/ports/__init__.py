"""Protocols of what neighbours need of one another, and of what has two implementations."""
