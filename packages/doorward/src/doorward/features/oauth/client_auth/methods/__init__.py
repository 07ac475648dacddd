"""Client authentication methods, a folder each."""
