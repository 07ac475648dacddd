"""Rules for registered clients. Pure."""
