"""Signs of danger, a file each; `index.py` lists them."""
