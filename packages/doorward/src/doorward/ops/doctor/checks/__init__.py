"""Checks of `doorward doctor`, one module each."""
