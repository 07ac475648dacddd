"""Rules of the sign-in flow. Pure."""
