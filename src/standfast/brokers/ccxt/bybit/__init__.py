"""Bybit v5, linear contracts: `calls` speaks it, `parse` understands it, `venue` keeps the promises."""
