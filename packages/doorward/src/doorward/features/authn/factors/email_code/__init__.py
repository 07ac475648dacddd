"""Codes and links by e-mail."""
