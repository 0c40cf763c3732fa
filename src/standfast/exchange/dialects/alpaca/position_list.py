"""The list of all positions as one body, encoded again only where something changed.

An account may hold ten thousand positions and be asked for them every few seconds. A row depends on the position, the
instrument's quote and the session, so it is kept until one of them is another: an event of the account's order in
that instrument, a change that no order made, a new quote object, or a turn of the session. The body is what
`[position_row(...) ...]` would encode.
"""

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.alpaca.rows import position_row
from standfast.exchange.dialects.gate import as_json
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.refusal import Refused


class PositionList:
    """One account's."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._engine = engine
        self._account = account
        self._rows: dict[str, tuple[Quote | None, bytes]] = {}
        self._touched: set[str] = set()
        self._session: object = None
        engine.listeners.append(self._note)
        engine.movers.append(self._note_move)

    def body(self) -> bytes:
        clock = self._engine.clock()
        session = (clock.is_open, clock.next_open, clock.next_close)
        if session != self._session:
            self._session = session
            self._load()
        else:
            self._refresh()
        self._touched.clear()
        return b"[" + b",".join([row for _, row in self._rows.values()]) + b"]"

    def _load(self) -> None:
        self._rows = {
            view.instrument: (
                self._engine.last_quote(view.instrument),
                as_json(position_row(view, self._engine.asset(view.instrument))),
            )
            for view in self._engine.positions(self._account)
        }

    def _refresh(self) -> None:
        last_quote = self._engine.last_quote
        moved = [name for name, (quote, _) in self._rows.items() if last_quote(name) is not quote]
        is_known = True
        for name in self._touched.union(moved):
            is_known &= name in self._rows
            self._renew(name)
        if not is_known:
            self._rows = dict(sorted(self._rows.items()))

    def _renew(self, name: str) -> None:
        try:
            view = self._engine.position(self._account, name)
        except Refused:
            self._rows.pop(name, None)
            return
        self._rows[name] = (self._engine.last_quote(name), as_json(position_row(view, self._engine.asset(name))))

    def _note(self, event: Event) -> None:
        if event.account == self._account:
            self._touched.add(event.order.instrument)

    def _note_move(self, account: str, instrument: str) -> None:
        if account == self._account:
            self._touched.add(instrument)
