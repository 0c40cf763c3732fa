"""What truly was so at the exchange, kept for as long as a check may ask about it.

Theory: a checker must judge what the guard did by what was so, not by what the guard believed. Everything here comes
from the exchange's engine: its events, its requests as they arrive, its positions when asked.

Invariants
1. `nets` names every value an instrument's net has had, in order, with the time from which it held.
2. An order is the guard's by its client order id, or by being the leg of such an order; everything else is external.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.exchange.engine import Engine
from standfast.exchange.events import Event, EventKind
from standfast.exchange.orders import STOPS, Order, OrderClass
from standfast.model.ids import AccountId, is_own

ZERO = Decimal(0)
WINDOW = timedelta(seconds=120)
"""W: for so long after somebody else moved a quantity, ours may have been sized by what was so before."""
FILLS = frozenset({EventKind.FILL, EventKind.PARTIAL_FILL})


class Witness:
    """One account at one engine. `take` every event, in order."""

    def __init__(self, engine: Engine, account: AccountId) -> None:
        self.engine = engine
        self.account = account
        self.nets: dict[str, deque[tuple[datetime, Decimal]]] = {}
        self.external_at: dict[str, datetime] = {}
        """When somebody else last moved a quantity: X(s)."""
        self.filled: dict[str, Decimal] = {}
        """What each order has filled, by the exchange's order id, as it was counted then (before any split)."""

        self.reshaped: set[str] = set()
        """Instruments whose quantity has changed without a fill."""
        self.traded: dict[str, tuple[Decimal, Decimal]] = {}
        """What has been bought and sold of each instrument, by anybody, in all."""

    # --- orders ---------------------------------------------------------------------------------

    def is_own(self, order: Order) -> bool:
        return is_own(self.root(order).client_order_id, self.account)

    def root(self, order: Order) -> Order:
        """The order it is a leg of; itself otherwise."""
        if order.parent_id is None:
            return order
        return self.engine.order(self.account, order.parent_id)

    def working(self, instrument: str) -> list[Order]:
        """Orders that trade in it: one for several legs stands under their underlying, and its legs trade."""
        return [order for order in self.engine.working(self.account, instrument) if not order.is_multileg]

    def find(self, client_order_id: str) -> Order | None:
        """The guard's order of this id, if it ever arrived."""
        return self.engine.find(self.account, client_order_id)

    # --- quantities -----------------------------------------------------------------------------

    def net(self, instrument: str) -> Decimal:
        """What is held now."""
        now = self.engine.net(self.account, instrument)
        self._compare(instrument, now)
        return now

    def _compare(self, instrument: str, net: Decimal) -> None:
        """A change that no fill made (a split, a trade that was taken back) is noted as external."""
        if net != self._last(instrument):
            self._note(instrument, net)
            self.reshaped.add(instrument)
            self.external_at[instrument] = self.engine.now

    def _last(self, instrument: str) -> Decimal:
        known = self.nets.get(instrument)
        return known[-1][1] if known else ZERO

    def _note(self, instrument: str, net: Decimal) -> None:
        now = self.engine.now
        known = self.nets.setdefault(instrument, deque([(now, ZERO)]))
        known.append((now, net))
        while len(known) > 1 and known[1][0] <= now - WINDOW:
            known.popleft()

    def nets_within(self, instrument: str, window: timedelta) -> list[Decimal]:
        """Every net of the last so long, the latest first, the one it began with included."""
        kept = [self.net(instrument)]
        since = self.engine.now - window
        for at, net in reversed(self.nets.get(instrument, ())):
            kept.append(net)
            if at <= since:
                break
        return kept

    def is_disturbed(self, instrument: str) -> bool:
        """Whether somebody else has moved the quantity within W."""
        at = self.external_at.get(instrument)
        return at is not None and self.engine.now - at <= WINDOW

    def take(self, event: Event) -> None:
        order = event.order
        if event.kind not in FILLS or order.is_multileg:  # its legs fill, each with an event of its own
            return
        assert event.quantity is not None, event
        assert event.position_quantity is not None, event
        self._compare(order.instrument, event.position_quantity - event.quantity * order.side.sign)
        self._note(order.instrument, event.position_quantity)
        self.filled[order.id] = self.filled.get(order.id, ZERO) + event.quantity
        bought, sold = self.traded.get(order.instrument, (ZERO, ZERO))
        is_bought = order.side.sign > 0
        self.traded[order.instrument] = (
            (bought + event.quantity, sold) if is_bought else (bought, sold + event.quantity)
        )
        if not self.is_own(order):
            self.external_at[order.instrument] = event.at


def stop_cover(orders: Iterable[Order], sign: int) -> Decimal:
    """What stops at the exchange would take off a position of this sign, now or when the session opens."""
    return sum((order.remaining for order in orders if order.side.sign == -sign and _is_stop_in_force(order)), ZERO)


def _is_stop_in_force(order: Order) -> bool:
    if order.terms.type not in STOPS or order.is_finished or (order.replaces is not None and order.live_at is None):
        return False
    if order.parent_id is None or order.live_at is not None:
        return True
    return order.order_class is OrderClass.OCO  # its pair waits for the open


def reducing_quantity(orders: Iterable[Order], sign: int, *, without: str = "") -> Decimal:
    """What these unfinished orders may still take off a position of this sign; two ways out of one quantity once.

    `without`: the id of an order whose place another is to take.
    """
    groups: dict[str, Decimal] = {}
    for order in orders:
        if order.side.sign != -sign or order.is_finished or order.id == without:
            continue
        if order.parent_id is not None and order.live_at is None and order.order_class is not OrderClass.OCO:
            continue  # a leg whose entry has not filled
        if order.replaces is not None and order.live_at is None:
            continue  # it counts when it has taken its place
        key = order.parent_id or order.id
        groups[key] = max(groups.get(key, ZERO), order.remaining)
    return sum(groups.values(), ZERO)
