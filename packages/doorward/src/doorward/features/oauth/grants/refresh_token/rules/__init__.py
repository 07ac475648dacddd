"""Rules for refresh token rotation. Pure."""
