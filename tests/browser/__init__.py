"""The pages of a whole system, driven as its people do it. A package, so that the system ends with the last of these tests."""
