"""Simulated accounts that hold spreads: what people do with them, and what must be true of legs together."""
