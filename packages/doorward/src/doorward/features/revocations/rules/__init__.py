"""Rules of revocations. Pure."""
