"""Clients: what an app may be registered with."""
