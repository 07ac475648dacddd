"""How an app proves itself at the token endpoint and its neighbours (OAuth 2.1 §2.4); `rules/index.py` lists the ways."""
