"""Rules of security events."""
