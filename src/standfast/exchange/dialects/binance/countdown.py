"""Binance's dead man's switch: a countdown of one symbol that cancels its orders unless it is wound up again.

Conditional orders stay: the documentation does not mention them (brokers/README §7), and what may be a stop is not
taken away on a guess.
"""

from collections import Counter
from functools import partial

from standfast.exchange.dialects.binance.codes import missing
from standfast.exchange.dialects.binance.order_rows import is_order
from standfast.exchange.dialects.binance.wire import amount, form, need, replied
from standfast.exchange.dialects.gate import Reply
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals
from standfast.exchange.perpetual.orders import Ended


class Countdown:
    def __init__(self, venue: Perpetuals) -> None:
        self._venue = venue
        self._turns: Counter[tuple[str, str]] = Counter()

    def set(self, call: PerpetualCall) -> Reply:
        """In milliseconds; 0 stops it."""
        given = form(call)
        symbol = call.venue.engine.contract(need(given, "symbol")).symbol
        length = amount(given, "countdownTime")
        if length is None or length < 0:
            raise missing("countdownTime")
        key = (call.account, symbol)
        self._turns[key] += 1
        if length:
            self._venue.later(float(length / 1000), partial(self._strike, key, self._turns[key]))
        return replied({"symbol": symbol, "countdownTime": f"{length:f}"})

    def _strike(self, key: tuple[str, str], turn: int) -> None:
        if self._turns[key] != turn:
            return
        engine, (account, symbol) = self._venue.engine, key
        for order in engine.working(account, symbol):
            if is_order(order):
                engine.cancel(account, order.id, Ended.DISCONNECTED)
