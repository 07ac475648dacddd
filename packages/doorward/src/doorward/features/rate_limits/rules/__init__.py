"""Rules for rate limits. Pure."""
