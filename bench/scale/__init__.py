"""Does it stay as fast when a database holds a million people? `python -m bench.scale`."""
