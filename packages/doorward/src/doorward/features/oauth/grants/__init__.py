"""Grants of the token endpoint, a folder each."""
