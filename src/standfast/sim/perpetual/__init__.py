"""Simulated accounts of perpetual futures: the real guard through its real adapter, and an exchange that moves."""
