"""Readers of the formats of other systems, one file each; `index.py` lists them."""
