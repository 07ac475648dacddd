"""Rules of presented client credentials. Pure."""
