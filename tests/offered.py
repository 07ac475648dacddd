"""Proof kinds of the server's own factors, for tests that begin sign-ins themselves."""

KINDS = ("password", "security_key", "totp", "passkey", "sms", "email_code", "recovery_code")
