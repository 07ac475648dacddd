"""Rules of passwords. Pure."""
