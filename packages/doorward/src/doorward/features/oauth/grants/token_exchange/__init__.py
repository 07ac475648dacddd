"""Token exchange grant (RFC 8693)."""
