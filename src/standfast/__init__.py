"""Standfast guards the positions of a trading bot at its broker: it records before it acts and proves what it did."""

__version__ = "0.1.0"
