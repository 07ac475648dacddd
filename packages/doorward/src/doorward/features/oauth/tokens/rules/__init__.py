"""Rules of what stands in tokens. Pure."""
