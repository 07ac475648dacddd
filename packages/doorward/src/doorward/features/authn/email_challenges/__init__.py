"""Codes and links by mail that prove an address: at sign-up, for a reset, and in place of a password."""
