"""Password hashing and the list of breached passwords."""
