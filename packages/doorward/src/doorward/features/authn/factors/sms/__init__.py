"""Codes by text message (SMS)."""
