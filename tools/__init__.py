"""Programs that the Makefile runs: set-up, pinning, search for system programs, generated pages."""
