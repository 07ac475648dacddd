"""The checks of an authorization request, one question a file; `rules/permit/authorize.py` lists them in order."""
