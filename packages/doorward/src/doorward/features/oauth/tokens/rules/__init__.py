"""Rules for the content of tokens. Pure."""
