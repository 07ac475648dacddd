"""Remembered devices: where the second step was shown lately, it is not asked for."""
