"""Rules for revocations. Pure."""
