"""Addresses that people from elsewhere prove before their sign-in goes on."""
