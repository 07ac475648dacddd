"""Trials: the server as a whole, on machines that are killed while it runs."""
