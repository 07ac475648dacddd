"""Notices to the owners of accounts: their bundling, and the page "This wasn't me"."""
