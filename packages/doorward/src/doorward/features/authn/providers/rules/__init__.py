"""Rules of external providers. Pure."""
