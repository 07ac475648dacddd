"""Authorization code grant (RFC 6749 §4.1.3)."""
