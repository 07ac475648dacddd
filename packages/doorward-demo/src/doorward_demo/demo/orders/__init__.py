"""The demo API: orders, readable with orders:read, placed with orders:write. FastAPI and doorward-verify, nothing else of Doorward."""
