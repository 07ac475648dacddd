"""Client authentication methods, one folder each."""
