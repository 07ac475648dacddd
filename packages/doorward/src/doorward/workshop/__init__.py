"""Former module names, by which the previous version starts workers. To be removed in the next version."""
