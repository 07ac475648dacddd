"""Clients: the rules for registered apps."""
