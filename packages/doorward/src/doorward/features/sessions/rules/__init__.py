"""Rules of sessions and of what ends with them. Pure."""
