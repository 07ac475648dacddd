"""Rendering of e-mail: subject, text and HTML from a message and a context."""
