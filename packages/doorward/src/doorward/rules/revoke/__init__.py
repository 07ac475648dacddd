"""No longer: what ends with what, and how those who verify tokens on their own learn of it."""
