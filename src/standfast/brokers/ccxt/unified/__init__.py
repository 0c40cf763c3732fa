"""Any exchange through ccxt's unified API, where that can do enough: `abilities` asks ccxt, `rehearsal` tries.

ccxt passes on what it does not understand: a stop it has no form for would leave as an order at the market. So every
form of an order is rehearsed, without sending, before the first one leaves, and an order that may only reduce leaves
only with the exchange's own mark for that on it.
"""
