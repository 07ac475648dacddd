"""Rules of the token exchange grant. Pure."""
