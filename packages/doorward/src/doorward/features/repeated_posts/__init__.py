"""Repeated posts of the same form."""
