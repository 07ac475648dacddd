"""The demo API: orders, readable with orders:read, placed with orders:write. It uses FastAPI and doorward-verify only."""
