"""Authentication of people: the sign-in flow and its factors."""
