"""Does it still hold? Sessions, introspection, userinfo."""
