"""Bybit's top of the book: a whole snapshot of one level each time it changes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from standfast.brokers.ccxt.bybit.parse import moment
from standfast.brokers.ccxt.quote_stream import Top
from standfast.brokers.shared.reading import number, shown
from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import Wire
from standfast.model.errors import Malformed
from standfast.model.quote import Quote

BOOK = "orderbook.1."


class BybitFeed:
    path = "/v5/public/linear"

    def change(self, symbols: Sequence[str], *, wanted: bool) -> dict[str, Any]:
        return {"op": "subscribe" if wanted else "unsubscribe", "args": [f"{BOOK}{symbol}" for symbol in symbols]}

    def read(self, told: dict[str, Any], wire: Wire) -> Top | None:
        if told.get("success") is False:
            raise TransportError(f"the quote stream refuses: {told.get('ret_msg')}")
        topic, data = str(told.get("topic", "")), told.get("data")
        if not topic.startswith(BOOK) or not isinstance(data, dict):
            return None
        bid, ask = (_best(data.get(side), side) for side in ("b", "a"))
        return Top(topic.removeprefix(BOOK), Quote(bid, ask, moment(told.get("ts", ""), "ts"), wire.clock.now()))


def _best(levels: object, side: str) -> Decimal:
    """Zero where that side is empty."""
    if not isinstance(levels, list) or not all(isinstance(level, list) and level for level in levels):
        raise Malformed(f"orderbook {side} is {shown(str(levels))}")
    return number(str(levels[0][0]), side) if levels else Decimal(0)
