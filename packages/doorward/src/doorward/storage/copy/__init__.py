"""A whole database as rows in order: what backup, restore and move are made of, whatever the engine."""
