"""What is so at the exchange while a story runs, noted at every one of its events.

It looks at the engine itself, never through a client, so neither a bot's nor a guard's belief can colour it. Cover is
the quantity of live stops on the closing side; outside the session also of stops that wait for the open.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.orders import STOPS, ZERO, Order, Status
from standfast.exchange.queries import Listing, OrderQuery

EVERYTHING = OrderQuery(limit=500)
EVER = OrderQuery(limit=500, status=Listing.ALL)


@dataclass(slots=True)
class Kept:
    """One instrument's history so far. `least` and `most`: the extremes of the signed net."""

    least: Decimal = ZERO
    most: Decimal = ZERO
    most_over: Decimal = ZERO
    """Most that stops covered beyond what was held."""
    naked: timedelta = timedelta(0)
    """The longest stretch in which less than the net was covered."""
    naked_since: datetime | None = None


class Truth:
    """One account at one engine."""

    def __init__(self, engine: Engine, account: str) -> None:
        self.engine = engine
        self.account = account
        self.tape: list[Event] = []
        self._kept: defaultdict[str, Kept] = defaultdict(Kept)
        engine.listeners.append(self._happened)

    def kept(self, instrument: str) -> Kept:
        """Up to now."""
        self._note(instrument)
        return self._kept[instrument]

    def top(self, order: Order) -> Order:
        """The order that was sent: of a leg its parent."""
        return order if order.parent_id is None else self.engine.order(self.account, order.parent_id)

    def net(self, instrument: str) -> Decimal:
        rows = self.engine.positions(self.account)
        return next((row.quantity for row in rows if row.instrument == instrument), ZERO)

    def working(self, instrument: str) -> list[Order]:
        """Unfinished orders, legs included, oldest first."""
        rows = self.engine.orders(self.account, EVERYTHING)
        return [row for row in reversed(rows) if row.instrument == instrument]

    def stops(self, instrument: str) -> list[Order]:
        """Those that protect what is held now."""
        net = self.net(instrument)
        return [
            order
            for order in self.working(instrument)
            if order.terms.type in STOPS and order.side.sign * net < 0 and (order.is_live or self._waits(order))
        ]

    def _waits(self, order: Order) -> bool:
        """For the open, where its parent does too: a leg of an entry that has not filled protects nothing."""
        parent = None if order.parent_id is None else self.engine.order(self.account, order.parent_id)
        is_entry_leg = parent is not None and parent.side is not order.side
        return order.status in (Status.ACCEPTED, Status.HELD) and not self.engine.clock().is_open and not is_entry_leg

    def cover(self, instrument: str) -> Decimal:
        return sum((order.remaining for order in self.stops(instrument)), ZERO)

    @property
    def result(self) -> Decimal:
        """What the account has gained (negative: lost) since it began, open positions at the market, before fees."""
        return self.realised + self.unrealised

    @property
    def realised(self) -> Decimal:
        return self.engine.truth(self.account).realised

    @property
    def unrealised(self) -> Decimal:
        return sum((row.unrealised or ZERO for row in self.engine.positions(self.account)), ZERO)

    def _happened(self, event: Event) -> None:
        self.tape.append(event)
        self._note(event.order.instrument)

    def _note(self, instrument: str) -> None:
        kept, net, cover = self._kept[instrument], self.net(instrument), self.cover(instrument)
        kept.least, kept.most = min(kept.least, net), max(kept.most, net)
        kept.most_over = max(kept.most_over, cover - abs(net))
        now = self.engine.now
        if kept.naked_since is not None:
            kept.naked = max(kept.naked, now - kept.naked_since)
        if cover >= abs(net):
            kept.naked_since = None
        elif kept.naked_since is None:
            kept.naked_since = now
