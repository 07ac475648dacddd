"""Rules for logout. Pure."""
