"""Client authentication (RFC 6749 §2.3)."""
