"""What the Makefile runs: setting up, pinning, finding system programs, writing generated pages."""
