"""The protocol's rules: pure functions from values to outcomes, in the order of the flow."""
