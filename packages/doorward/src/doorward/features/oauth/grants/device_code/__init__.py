"""Device authorization grant (RFC 8628): a device without a browser gets tokens after a person allowed it on another one."""
