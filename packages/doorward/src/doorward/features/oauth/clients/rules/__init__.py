"""Rules of registered clients. Pure."""
