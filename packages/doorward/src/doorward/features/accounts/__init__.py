"""Accounts: sign-up, password reset, and the pages of one's own account."""
