"""Binance's best bid and ask of a contract, each time they change."""

from collections.abc import Sequence
from typing import Any

from standfast.brokers.ccxt.binance.parse import moment
from standfast.brokers.ccxt.quote_stream import Top
from standfast.brokers.shared.reading import number, shown
from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import Wire
from standfast.model.errors import Malformed
from standfast.model.quote import Quote


class BinanceFeed:
    path = "/public/ws"

    def change(self, symbols: Sequence[str], *, wanted: bool) -> dict[str, Any]:
        streams = [f"{symbol.lower()}@bookTicker" for symbol in symbols]
        return {"method": "SUBSCRIBE" if wanted else "UNSUBSCRIBE", "params": streams, "id": 1}

    def read(self, told: dict[str, Any], wire: Wire) -> Top | None:
        if told.get("error"):
            raise TransportError(f"the quote stream refuses: {told['error']}")
        if told.get("e") != "bookTicker":
            return None
        stamp = told.get("T")
        if not isinstance(stamp, int):
            raise Malformed(f"bookTicker: T is {shown(str(stamp))}")
        bid, ask = (number(str(told.get(side, "")), side) for side in ("b", "a"))
        return Top(str(told.get("s", "")), Quote(bid, ask, moment(stamp), wire.clock.now()))
