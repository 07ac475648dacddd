"""Rules of rate limits. Pure."""
