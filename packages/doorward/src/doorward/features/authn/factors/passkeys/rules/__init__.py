"""Rules of passkeys: the checks of registration and assertion, without clock, randomness, or storage."""
