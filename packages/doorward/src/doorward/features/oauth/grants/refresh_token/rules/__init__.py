"""Rules of refresh token rotation. Pure."""
