"""Strikes one world with the faults of a plan, counts those that struck, and knows when the account cannot be healthy.

Theory: every kind may be on or off in a seed, with a strength of its own (a swarm), so that runs differ in what they
combine. A fault is either a rule of the fault layer (`strokes`), a mode of the exchange, or a deed done once.

Invariants
1. All chance at run time is drawn from streams of this seed.
2. After `heal` nothing goes wrong any more.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from standfast.exchange.events import Event, EventKind
from standfast.exchange.faults import Rule
from standfast.exchange.orders import Order, OrderClass, Side, TimeInForce
from standfast.exchange.refusal import Refused
from standfast.model.ids import is_own
from standfast.sim.fickle import Fickle
from standfast.sim.somebody import FLOOD, flood, take_back
from standfast.sim.strikes import Strikes
from standfast.sim.strokes import Stroke, rules_of
from standfast.sim.world import World

ZERO = Decimal(0)
PAIRED = frozenset({OrderClass.OCO, OrderClass.BRACKET})


class Swarm(Strikes):
    """Of the engine for shares and options."""

    _world: World

    def __init__(self, world: World, *, seed: int, share: Decimal = ZERO) -> None:
        """`share`: of orders that fill in parts without any fault."""
        super().__init__(world, Random(f"swarm-{seed}"))
        self._usual = world.engine.rules
        self._is_well = world.health
        self.is_reserved: Callable[[str], bool] = lambda instrument: False
        """Whether orders of somebody else hold what is to be closed; who knows the journal puts the answer here."""
        world.health = self.is_healthy
        world.engine.fills = Fickle(self.active, self.fired, seed=seed, share=share)
        world.engine.listeners.append(self._happened)
        world.engine.overhearers.append(self._overheard)
        self._deeds |= {
            9: self._reject, 11: self._fill_and_cancel, 23: self._expire, 27: self._take_back, 51: self._flood,
            76: self._split, 77: self._liquidate, 78: self._halt,
        }  # fmt: skip
        self._undo[78] = self._resume

    def _rules_of(self, stroke: Stroke) -> list[Rule]:
        return rules_of(stroke, self._began)

    def _heal_exchange(self) -> None:
        for asset in self._world.engine.assets():
            self._world.engine.resume(asset.instrument)

    def is_healthy(self, instrument: str) -> bool:
        """H: the world is well, no fault hinders it, and none has just ended."""
        if self.is_hindered or not self._is_well(instrument):
            return False
        return not self._is_blocked(instrument) and not self.is_reserved(instrument)

    def _is_blocked(self, instrument: str) -> bool:
        """Whether an order of somebody else rests in the way: the exchange takes nothing from us against it."""
        engine, account = self._world.engine, self._world.rules.account
        net = engine.net(account, instrument)
        if not net or not engine.rules.refuses_wash_trades:
            return False
        adds = Side.BUY if net > 0 else Side.SELL
        return any(
            order.side is adds and order.parent_id is None and not is_own(order.client_order_id, account)
            for order in engine.working(account, instrument)
        )

    # --- modes of the exchange ------------------------------------------------------------------

    def _set_modes(self) -> None:
        rules = self._usual
        for stroke in self._active:
            draw = stroke.random()
            match stroke.kind:
                case 13:
                    rules = replace(rules, cancel_after=_seconds(draw.uniform(0.2, 3)))
                case 14:
                    rules = replace(rules, cancel_after=_seconds(draw.uniform(1, 4 + 25 * stroke.strength)))
                case 16:
                    rules = replace(rules, replace_after=_seconds(draw.uniform(0.2, 3)))
                case 17:
                    rules = replace(rules, replace_after=_seconds(draw.uniform(0.5, 10)))
                case 24:
                    rules = replace(rules, siblings_end_after=_seconds(draw.uniform(0.2, 2 + 10 * stroke.strength)))
                case _:
                    pass
        if rules != self._world.engine.rules:
            self._world.engine.rules = rules

    def _happened(self, event: Event) -> None:
        """Races: something fills while it is being cancelled or replaced."""
        if event.kind is EventKind.PENDING_CANCEL:
            self._count_if(14)
            self._race(13, event.order, self._world.engine.rules.cancel_after)
        elif event.kind is EventKind.PENDING_REPLACE:
            self._count_if(17)
            self._race(16, event.order, self._world.engine.rules.replace_after)
        elif event.kind is EventKind.FILL and event.order.order_class in PAIRED:
            self._count_if(24)
        elif event.kind in {EventKind.EXPIRED, EventKind.CANCELED}:
            order = event.order
            is_over = order.expires_at is not None and event.at >= order.expires_at
            self.fired[22] += is_over and order.terms.time_in_force is TimeInForce.DAY

    def _count_if(self, kind: int) -> None:
        if self.active(kind) is not None:
            self.fired[kind] += 1

    def _race(self, kind: int, order: Order, within: timedelta) -> None:
        stroke = self.active(kind)
        is_flood = order.client_order_id.startswith(FLOOD)
        if stroke is None or is_flood or within <= timedelta(0) or self._draw.random() >= stroke.chance:
            return

        def fill() -> None:
            if self._fill(order.id, self._draw.choice((1.0, 1.0, 0.5))):
                self.fired[kind] += 1

        self._world.wire.later(self._draw.uniform(0, within.total_seconds()), fill)

    def _fill(self, order_id: str, share: float) -> bool:
        """Let it trade at the market, some or all of what it has left."""
        self._world.wire.catch_up()
        engine = self._world.engine
        order = engine.order(self._world.rules.account, order_id)
        quote = engine.last_quote(order.instrument)
        if order.order_class is OrderClass.MULTILEG:
            return False  # its legs fill together, at prices of their own
        if quote is None or not order.is_live or not engine.is_tradable(order.instrument) or order.remaining <= 0:
            return False
        part = (order.remaining * Decimal(str(share))).to_integral_value() or order.remaining
        engine.fill_now(order.id, min(part, order.remaining), quote.ask if order.side is Side.BUY else quote.bid)
        return True

    def _overheard(self, asked: object) -> None:
        ticket = getattr(asked, "ticket", None)
        id = ticket.client_order_id if ticket is not None else None
        if id is not None and self._world.engine.find(self._world.rules.account, id) is not None:
            self.fired[18] += 1

    def _some_order(self, stroke: Stroke, *, live: bool = True) -> Order | None:
        found = [order for order in self._world.working(stroke.target) if order.order_class is not OrderClass.MULTILEG]
        working = [order for order in found if order.is_live or not live]
        return stroke.random().choice(working) if working else None

    def _reject(self, stroke: Stroke) -> None:
        order = self._some_order(stroke)
        if order is not None:
            self._world.engine.reject_working(order.id)
            self.fired[9] += 1

    def _expire(self, stroke: Stroke) -> None:
        order = self._some_order(stroke)
        if order is not None and order.terms.time_in_force is TimeInForce.GTC:
            self._world.engine.expire_working(order.id)
            self.fired[23] += 1

    def _fill_and_cancel(self, stroke: Stroke) -> None:
        order = self._some_order(stroke)
        if order is None or order.remaining < 2 or not self._fill(order.id, 0.5):
            return
        try:
            self._world.engine.cancel(self._world.rules.account, order.id)
        except Refused:
            return
        self.fired[11] += 1

    def _take_back(self, stroke: Stroke) -> None:
        self.fired[27] += take_back(self._world, stroke)

    def _flood(self, stroke: Stroke) -> None:
        self.fired[51] += flood(self._world, stroke)

    # --- the world ------------------------------------------------------------------------------

    def _split(self, stroke: Stroke) -> None:
        self._world.wire.catch_up()
        self._world.engine.split(stroke.target, split_ratio(stroke))
        self.fired[76] += 1

    def _liquidate(self, stroke: Stroke) -> None:
        self._world.wire.catch_up()
        if not self._world.engine.is_tradable(stroke.target):
            return
        try:
            self._world.engine.liquidate(self._world.rules.account, stroke.target)
        except LookupError:
            return
        self.fired[77] += 1

    def _halt(self, stroke: Stroke) -> None:
        self._world.engine.halt(stroke.target)
        self.fired[78] += 1

    def _resume(self, stroke: Stroke) -> None:
        self._world.engine.resume(stroke.target)


def split_ratio(stroke: Stroke) -> Decimal:
    """New shares for one old."""
    return stroke.random().choice((Decimal(2), Decimal(3), Decimal(4), Decimal("0.5"), Decimal("0.1")))


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds, 3))
