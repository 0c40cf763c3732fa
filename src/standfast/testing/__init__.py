"""Kits for the authors of adapters: every implementation of a port is checked against its promises."""
