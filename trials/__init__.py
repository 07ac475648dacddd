"""Trials: what the server has to live through as a whole, on machines that are killed under it."""
