"""Factors, a folder each."""
