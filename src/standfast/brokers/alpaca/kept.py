"""The last list, kept as raw rows, so that a read in which nothing differs costs little more than its decoding.

Invariants
- `changed` names exactly what differs from the last list taken here; the first time, everything.
- A list that is refused leaves what is kept as it was.
- Values already handed out are never altered: a changed list is a new mapping, an unchanged one the same object.
"""

from collections.abc import Mapping

import msgspec

from standfast.brokers.alpaca import parse
from standfast.brokers.alpaca.rows import OrderRow, PositionRow
from standfast.brokers.shared import reading
from standfast.model.errors import Malformed
from standfast.model.evidence import HeldReport
from standfast.model.ids import BrokerOrderId, Holding
from standfast.model.order import OrderReport

POSITIONS = msgspec.json.Decoder(list[PositionRow])


class KeptPositions:
    """Rows compare in C: first the whole list, then (other order, other rows) by symbol."""

    def __init__(self) -> None:
        self._rows: list[PositionRow] | None = None
        self._by_symbol: dict[str, PositionRow] = {}
        self._held: dict[Holding, HeldReport] = {}

    def take(self, body: bytes) -> tuple[Mapping[Holding, HeldReport], frozenset[Holding]]:
        """The positions in this body, and which of them differ. Raises Malformed."""
        rows = reading.rows(POSITIONS, body, "positions")
        if rows == self._rows:
            return self._held, frozenset()
        by_symbol = {row.symbol: row for row in rows}
        if len(by_symbol) != len(rows):
            raise Malformed(f"positions: {len(rows) - len(by_symbol)} symbols are listed twice")
        changed: frozenset[Holding] = frozenset()
        if by_symbol != self._by_symbol:
            self._held, changed = self._differing(by_symbol)
        self._rows, self._by_symbol = rows, by_symbol
        return self._held, changed

    def _differing(self, by_symbol: dict[str, PositionRow]) -> tuple[dict[Holding, HeldReport], frozenset[Holding]]:
        held = dict(self._held)
        changed = set()
        for symbol in self._by_symbol.keys() - by_symbol.keys():
            holding = reading.holding(symbol)
            held.pop(holding, None)
            changed.add(holding)
        before = self._by_symbol
        for symbol, row in by_symbol.items():
            if before.get(symbol) == row:
                continue
            report = parse.held(row)
            if report.holding.instrument != symbol and report.holding.instrument in by_symbol:
                raise Malformed(f"positions: {report.holding} is listed twice")
            changed.add(report.holding)
            if report.quantity:
                held[report.holding] = report
            else:
                held.pop(report.holding, None)  # a row of zero says flat
        return held, frozenset(changed)


class KeptOrders:
    """The working orders by id; a report is made anew only where its row differs."""

    def __init__(self) -> None:
        self._rows: list[OrderRow] | None = None
        self._by_id: dict[str, OrderRow] = {}
        self._orders: dict[BrokerOrderId, OrderReport] = {}

    def take(self, rows: list[OrderRow]) -> tuple[Mapping[BrokerOrderId, OrderReport], frozenset[BrokerOrderId]]:
        """The reports of these rows (no id twice), and which differ, vanished ones included. Raises Malformed."""
        if rows == self._rows:
            return self._orders, frozenset()
        by_id = {row.id: row for row in rows}
        changed: frozenset[BrokerOrderId] = frozenset()
        if by_id != self._by_id:
            fresh = {BrokerOrderId(id): parse.order(row) for id, row in by_id.items() if self._by_id.get(id) != row}
            gone = {BrokerOrderId(id) for id in self._by_id.keys() - by_id.keys()}
            self._orders = {id: report for id, report in self._orders.items() if id not in gone} | fresh
            changed = frozenset(gone | fresh.keys())
        self._rows, self._by_id = rows, by_id
        return self._orders, changed

    def row(self, broker_id: BrokerOrderId) -> OrderRow | None:
        """The row of a working order or of one of its legs, as last listed."""
        found = self._by_id.get(broker_id)
        if found is not None:
            return found
        legs = (leg for row in self._by_id.values() for leg in row.legs or ())
        return next((leg for leg in legs if leg.id == broker_id), None)
