"""Hosted pages: a typed view model and a context go in, a finished HTML document comes out."""
