"""The sign-in flow: which step comes next, and what it ends in."""
