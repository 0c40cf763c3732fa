"""Strikes one world with the faults of a plan, counts those that struck, and knows when the account cannot be healthy.

Theory: every kind may be on or off in a seed, with a strength of its own (a swarm), so that runs differ in what they
combine. A fault is either a rule of the fault layer (`strokes`), a mode of the exchange, or a deed done once.

Invariants
1. All chance at run time is drawn from streams of this seed.
2. After `heal` nothing goes wrong any more.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from standfast.exchange.events import Event, EventKind
from standfast.exchange.faults import Rule
from standfast.exchange.orders import Order, OrderClass, Side, TimeInForce
from standfast.exchange.refusal import Refused
from standfast.model.ids import is_own
from standfast.sim.catalogue import AFTER, KINDS
from standfast.sim.disk import CommitFault
from standfast.sim.effects import Anomaly
from standfast.sim.effects import Kind as Way
from standfast.sim.fickle import Fickle
from standfast.sim.somebody import FLOOD, flood, take_back
from standfast.sim.strokes import Stroke, rules_of
from standfast.sim.world import World

ZERO = Decimal(0)
FIRST, SECOND = "guard", "second"
"""The guards' names."""
PAIRED = frozenset({OrderClass.OCO, OrderClass.BRACKET})


class Swarm:
    """Call `begin` and `end` for each stroke at its time; `heal` when chaos is over."""

    def __init__(self, world: World, *, seed: int, share: Decimal = ZERO) -> None:
        """`share`: of orders that fill in parts without any fault."""
        self.fired: Counter[int] = Counter()
        """How often each kind struck; those of rules are in the fault layer's own record until `counted`."""
        self._world = world
        self._draw = Random(f"swarm-{seed}")
        self._usual = world.engine.rules
        self._active: list[Stroke] = []
        self._rules: dict[Stroke, list[Rule]] = {}
        self._ended: float = -1e9
        self._began = world.now
        self._is_well = world.health
        self.is_reserved: Callable[[str], bool] = lambda instrument: False
        """Whether orders of somebody else hold what is to be closed; who knows the journal puts the answer here."""
        self._second_wanted = False
        self._drifts: dict[str, timedelta] = {}
        world.health = self.is_healthy
        world.engine.fills = Fickle(self.active, self.fired, seed=seed, share=share)
        world.store.decide = self._of_commit
        world.engine.listeners.append(self._happened)
        world.engine.overhearers.append(self._overheard)
        self._deeds: dict[int, Callable[[Stroke], None]] = {
            9: self._reject, 11: self._fill_and_cancel, 23: self._expire, 27: self._take_back, 39: self._outage,
            40: self._outage, 44: self._outage, 51: self._flood, 52: self._jump_clock, 55: self._drift,
            56: self._pause, 60: self._untold, 68: self._kill, 69: self._kill_again, 70: self._exhaust, 71: self._pause,
            72: self._fail, 73: self._second, 74: self._hand_over, 76: self._split, 77: self._liquidate, 78: self._halt,
        }  # fmt: skip
        self._undo: dict[int, Callable[[Stroke], None]] = {
            52: self._right_clock, 55: self._right_clock, 56: self._after_pause, 73: self._end_second, 78: self._resume,
        }  # fmt: skip
        self._untold_left = 0

    # --- strokes --------------------------------------------------------------------------------

    def begin(self, stroke: Stroke) -> None:
        self._active.append(stroke)
        rules = rules_of(stroke, self._began)
        if rules:
            self._rules[stroke] = rules
            self._world.faults.install(*rules)
        self._set_rules()
        deed = self._deeds.get(stroke.kind)
        if deed is not None:
            deed(stroke)

    def end(self, stroke: Stroke) -> None:
        if stroke not in self._active:
            return
        self._active.remove(stroke)
        self._world.faults.withdraw(*self._rules.pop(stroke, ()))
        if _is_sick(stroke):
            self._ended = self._world.clock.monotonic()
        self._set_rules()
        undo = self._undo.get(stroke.kind)
        if undo is not None:
            undo(stroke)

    def heal(self) -> None:
        """End every fault; one guard is there from now on, or soon."""
        for stroke in tuple(self._active):
            self.end(stroke)
        self._world.effects.heal()
        self._world.wire.heal()
        self._untold_left = 0
        for guard in self._world.guards.values():
            guard.clock.skew = timedelta(0)
        for asset in self._world.engine.assets():
            self._world.engine.resume(asset.instrument)
        self._end_second()
        self._ensure_first()

    def active(self, kind: int, instrument: str = "") -> Stroke | None:
        """The stroke of this kind that is in force, for this instrument if it is about one."""
        for stroke in self._active:
            if stroke.kind == kind and stroke.target in {"", instrument}:
                return stroke
        return None

    def is_healthy(self, instrument: str) -> bool:
        """H: the world is well, no fault hinders it, and none has just ended."""
        if any(_is_sick(stroke) for stroke in self._active):
            return False
        if self._world.clock.monotonic() - self._ended <= AFTER or not self._is_well(instrument):
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

    def counted(self) -> Counter[int]:
        """How often each kind struck."""
        struck = Counter(int(each.label) for each in self._world.faults.struck if each.label)
        return self.fired + struck

    # --- modes of the exchange ------------------------------------------------------------------

    def _set_rules(self) -> None:
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

    # --- network --------------------------------------------------------------------------------

    def _outage(self, stroke: Stroke) -> None:
        self._world.wire.outage(stroke.seconds)
        self.fired[stroke.kind] += 1

    def _flood(self, stroke: Stroke) -> None:
        self.fired[51] += flood(self._world, stroke)

    # --- clocks ---------------------------------------------------------------------------------

    def _jump_clock(self, stroke: Stroke) -> None:
        draw = stroke.random()
        skew = draw.choice((timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)))
        if draw.random() < 0.2:
            skew = datetime(1970, 1, 1, tzinfo=self._world.now.tzinfo) - self._world.now
        for guard in self._world.guards.values():
            guard.clock.skew = skew
            self.fired[52] += 1

    def _drift(self, stroke: Stroke) -> None:
        for guard in self._world.guards.values():
            guard.clock.skew = timedelta(seconds=self._draw.uniform(-5, 5) * stroke.strength)
            self.fired[55] += 1

    def _right_clock(self, stroke: Stroke) -> None:
        for guard in self._world.guards.values():
            guard.clock.skew = timedelta(0)

    # --- the store ------------------------------------------------------------------------------

    def _of_commit(self) -> CommitFault | None:
        busy, full, failing = self.active(57), self.active(58), self.active(59)
        if full is not None:
            self.fired[58] += 1
            return CommitFault.FULL
        if failing is not None:
            self.fired[59] += 1
            return CommitFault.UNTOLD
        if self._untold_left:
            self._untold_left -= 1
            self.fired[60] += 1
            return CommitFault.UNTOLD
        if busy is not None and self._draw.random() < busy.chance:
            self.fired[57] += 1
            return CommitFault.BUSY
        return None

    def _untold(self, stroke: Stroke) -> None:
        self._untold_left = 1

    # --- processes ------------------------------------------------------------------------------

    def _anomaly(self, way: Way, after: int) -> None:
        self._world.effects.plan(Anomaly(way, len(self._world.effects.log) + 1 + after))

    def _kill(self, stroke: Stroke) -> None:
        self._anomaly(Way.KILL, stroke.random().randrange(0, 60))
        self.fired[68] += 1

    def _kill_again(self, stroke: Stroke) -> None:
        after, draw = 0, stroke.random()
        for _ in range(2 + round(4 * stroke.strength)):
            after += draw.randrange(1, 25)
            self._anomaly(Way.KILL, after)
            self.fired[69] += 1

    def _fail(self, stroke: Stroke) -> None:
        self._anomaly(Way.FAIL_ONCE, stroke.random().randrange(0, 60))
        self.fired[72] += 1

    def _exhaust(self, stroke: Stroke) -> None:
        self._anomaly(Way.EXHAUST, stroke.random().randrange(0, 60))
        self.fired[70] += 1

    def _pause(self, stroke: Stroke) -> None:
        living = [guard for guard in self._world.guards.values() if guard.is_alive and not guard.is_paused]
        if living:
            self._world.pause_guard(stroke.seconds, stroke.random().choice(living).name)
            self.fired[stroke.kind] += 1
        if stroke.kind == 56 and stroke.random().random() < 0.5:
            self._second(stroke)  # somebody starts another one: both are there when the first goes on

    def _after_pause(self, stroke: Stroke) -> None:
        later = self._world.wire.later
        later(15, lambda: None if self.active(73) or self.active(56) else self._end_second())

    def _second(self, stroke: Stroke) -> None:
        if not self._is_up(SECOND):
            self._second_wanted = True
            self._world.keeper.start(SECOND)
            self.fired[73] += 1

    def _end_second(self, stroke: Stroke | None = None) -> None:
        self._world.keeper.dismiss(SECOND)
        self._ensure_first()

    def _hand_over(self, stroke: Stroke) -> None:
        if not self._is_up(FIRST):
            return
        self._world.stop_guard(FIRST)
        self.fired[74] += 1
        self._world.wire.later(stroke.random().uniform(1, 12), self._ensure_first)

    def _is_up(self, name: str) -> bool:
        guard = self._world.guards.get(name)
        return guard is not None and guard.is_alive

    def _ensure_first(self) -> None:
        if FIRST in self._world.guards and not self._is_up(FIRST) and self._world.violation is None:
            self._world.keeper.start(FIRST, "the parent starts it again")

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


def _is_sick(stroke: Stroke) -> bool:
    return stroke.strength >= KINDS[stroke.kind].sick_from and not stroke.is_once


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds, 3))
