"""Where everything that lasts is kept: adapters of `ports/store.py`."""
