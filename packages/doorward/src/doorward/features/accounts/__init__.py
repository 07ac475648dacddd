"""Accounts: sign-up, password reset, and the account pages."""
