"""Exchanges through ccxt: perpetual futures on Bybit, and on any other by what it can do.

`library` makes ccxt sign and name things and nothing more; `client` sends; a `Venue` speaks one exchange's own
endpoints and understands its answers; `adapter` keeps the port's promises.
"""
