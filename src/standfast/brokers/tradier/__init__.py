"""Tradier: `client` speaks its API, `parse` turns replies into the model, `adapter` keeps the port's promises."""
