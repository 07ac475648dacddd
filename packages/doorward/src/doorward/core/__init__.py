"""Values that every feature shares: types, ids, errors and the ports to the world. Pure."""
