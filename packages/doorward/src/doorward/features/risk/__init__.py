"""Risk of a sign-in: signals, verdicts, and what is done about them."""
