"""Generated months of sign-ins, with planted attacks, judged by the rules of risk: `python -m trials.risk`."""
