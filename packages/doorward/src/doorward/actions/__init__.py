"""One file per request: load, ask the rules, commit, answer."""
