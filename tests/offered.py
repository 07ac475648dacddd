"""Proof kinds of the server's own factors, for tests that begin sign-ins themselves."""

KINDS = ("password", "totp", "email_code", "recovery_code")
