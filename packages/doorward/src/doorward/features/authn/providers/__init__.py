"""Sign-in with an account at an external OpenID provider (OpenID Connect Core 1.0)."""
