"""Rules of the device authorization grant. Pure."""
