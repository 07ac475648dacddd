"""Rules of the JWT bearer grant. Pure."""
