"""View models, one per hosted page; a handler builds one and calls `page`."""
