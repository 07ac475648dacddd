"""Public clients (RFC 6749 §2.1)."""
