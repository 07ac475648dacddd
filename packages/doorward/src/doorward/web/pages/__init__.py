"""Hosted pages: rendering of a typed view model and a context as an HTML document."""
