"""Features, a folder each."""
