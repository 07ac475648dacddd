"""State shared by the nodes of one server: configuration snapshot, change notification, node registry."""
