"""What rotation of refresh tokens is worth: thieves and owners under a virtual clock, judged by the real rule functions."""
