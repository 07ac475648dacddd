"""Protocols of what acts on the world and on the database."""
