"""Simulation of the real guard against the simulated exchange, in one process, under virtual time."""
