"""What do they get? Grants, and the tokens that come of them; an Entitlement is the only door in."""
