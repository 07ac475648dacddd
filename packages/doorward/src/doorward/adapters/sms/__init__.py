"""Gateways for text messages (SMS)."""
