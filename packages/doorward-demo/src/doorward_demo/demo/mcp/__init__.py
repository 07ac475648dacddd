"""Demo MCP server: the orders of the demo, as tools for an assistant."""
