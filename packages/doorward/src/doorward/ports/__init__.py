"""What the actions need from outside, as Protocols; the adapters in `stores/` and `outside/` fit them, `wiring/` joins the two."""
