"""What each kind of token says; signing happens outside."""
