"""Servers that do almost nothing: what the load and the framework allow at best, whatever stands on them."""
