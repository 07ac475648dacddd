"""Rules of authorization requests and responses. Pure."""
