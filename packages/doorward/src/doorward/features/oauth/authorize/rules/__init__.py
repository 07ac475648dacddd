"""Rules for authorization requests and responses. Pure."""
