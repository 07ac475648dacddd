"""The ways to a token (OAuth 2.1 §4), one file each; `rules/index.py` lists them. Refreshing stands in `rules/refresh/`."""
