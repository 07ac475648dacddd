"""Authorization endpoint (RFC 6749 §4.1, OpenID Connect Core §3)."""
