"""Checks of the doctor, a module each."""
