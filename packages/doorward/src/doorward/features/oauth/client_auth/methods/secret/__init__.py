"""Client secrets (RFC 6749 §2.3.1)."""
