"""Protocols between layers that must not import one another, and of interfaces with two implementations."""
