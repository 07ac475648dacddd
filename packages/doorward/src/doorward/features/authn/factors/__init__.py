"""Authentication factors, one folder each."""
