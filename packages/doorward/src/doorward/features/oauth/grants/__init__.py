"""Grants of the token endpoint, one folder each."""
