"""Rules for presented client credentials. Pure."""
