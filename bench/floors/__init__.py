"""Servers that do almost nothing: they show the limits of load and framework."""
