"""Same person, next token: rotation, and what a refresh may ask for."""
