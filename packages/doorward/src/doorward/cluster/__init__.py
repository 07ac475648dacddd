"""What the nodes of one server share: configuration snapshot, change notification, node registry."""
