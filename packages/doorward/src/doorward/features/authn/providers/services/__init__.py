"""Services that people know by name, one file each: what is particular about signing in with an account there. Pure."""
