"""Server metadata and published keys (RFC 8414, RFC 7517)."""
