"""What is so at the exchange while a story runs, noted at every one of its events: as `drills.truth`, per side held.

It looks at the engine itself. Cover is the quantity of live reduce-only stops on the closing side; one that closes
whatever is held covers all of it.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.contract import symbol_of
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.events import Event
from standfast.exchange.perpetual.floor import is_reducing
from standfast.exchange.perpetual.orders import ZERO, Order

Side = tuple[str, int]
"""A contract's symbol, and which of its positions."""
HEDGES = {0: "", 1: "long", 2: "short"}


@dataclass(slots=True)
class Kept:
    """One side's history so far. `least` and `most`: the extremes of the signed net."""

    least: Decimal = ZERO
    most: Decimal = ZERO
    most_over: Decimal = ZERO
    naked_since: datetime | None = None
    stretches: list[tuple[datetime, datetime]] = field(default_factory=list)
    """In which less than the net was covered, ended ones."""
    held_since: datetime | None = None
    """Since when anything is held without a break."""


class PerpetualTruth:
    """One account at one engine."""

    def __init__(self, engine: PerpetualEngine, account: str) -> None:
        self.engine = engine
        self.account = account
        self.tape: list[Event] = []
        self._began = engine.equity(account)
        self._kept: defaultdict[Side, Kept] = defaultdict(Kept)
        engine.listeners.append(self._happened)

    def kept(self, name: str, index: int = 0) -> Kept:
        """Up to now."""
        self._note((symbol_of(name), index))
        return self._kept[symbol_of(name), index]

    def sides(self) -> list[Side]:
        """Those that anything ever happened to."""
        return sorted(self._kept)

    def naked(self, name: str, index: int = 0) -> timedelta:
        """The longest stretch in which less than the net was covered."""
        kept = self.kept(name, index)
        ended = [until - since for since, until in kept.stretches]
        running = [] if kept.naked_since is None else [self.engine.now - kept.naked_since]
        return max([*ended, *running], default=timedelta(0))

    def net(self, name: str, index: int = 0) -> Decimal:
        return self.engine.position(self.account, symbol_of(name), index).quantity

    def working(self, name: str, index: int | None = None) -> list[Order]:
        """Unfinished orders, conditional ones too, oldest first."""
        orders = self.engine.working(self.account, symbol_of(name))
        return [order for order in orders if index in (None, order.index)]

    def stops(self, name: str, index: int = 0) -> list[Order]:
        """Those that protect what is held now."""
        net = self.net(name, index)
        return [order for order in self.working(name, index) if _protects(order, net)]

    def cover(self, name: str, index: int = 0) -> Decimal:
        net = abs(self.net(name, index))
        return sum((order.remaining or net for order in self.stops(name, index)), ZERO)

    def executions(self) -> list[Execution]:
        """Everything that changed a position, funding not."""
        booked = self.engine.books(self.account).executions
        return [each for each in booked if each.kind is not ExecutionKind.FUNDING]

    @property
    def funding(self) -> Decimal:
        """Paid (negative) or received so far."""
        booked = self.engine.books(self.account).executions
        return -sum((each.fee for each in booked if each.kind is ExecutionKind.FUNDING), ZERO)

    @property
    def realised(self) -> Decimal:
        """Fees and funding apart."""
        return sum((each.realised for each in self.executions()), ZERO)

    @property
    def result(self) -> Decimal:
        """What the account has gained (negative: lost) since it began, at the mark, fees and funding in it."""
        return self.engine.equity(self.account) - self._began

    def _happened(self, event: Event) -> None:
        if event.account != self.account:
            return
        self.tape.append(event)
        index = 0
        if event.order is not None:
            index = event.order.index
        elif event.position is not None:
            index = event.position.index
        if event.instrument and (event.order is not None or event.position is not None):
            self._note((event.instrument, index))

    def _note(self, side: Side) -> None:
        kept, net, cover = self._kept[side], self.net(*side), self.cover(*side)
        kept.least, kept.most = min(kept.least, net), max(kept.most, net)
        kept.most_over = max(kept.most_over, cover - abs(net))
        now = self.engine.now
        if not net:
            kept.held_since = None
        elif kept.held_since is None:
            kept.held_since = now
        if cover < abs(net):
            kept.naked_since = kept.naked_since or now
        elif kept.naked_since is not None:
            if now > kept.naked_since:
                kept.stretches.append((kept.naked_since, now))
            kept.naked_since = None


def _protects(order: Order, net: Decimal) -> bool:
    is_stop = order.is_conditional and order.ticket.trigger is not None
    is_loss = is_stop and order.ticket.trigger.rises == (net < 0)  # type: ignore[union-attr]  # it is a stop
    return is_loss and is_reducing(order) and order.side.sign * net < 0
