"""Binance USD-M futures: `calls` speaks it, `parse` understands it, `venue` keeps the promises."""
