"""Supervisor, workers and sockets."""
