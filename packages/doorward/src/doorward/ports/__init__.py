"""What the actions need from outside, as Protocols; the adapters in `stores/` and `outside/` fit them, `wiring.py` joins the two."""
