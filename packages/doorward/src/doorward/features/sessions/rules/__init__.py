"""Rules for sessions and their end. Pure."""
