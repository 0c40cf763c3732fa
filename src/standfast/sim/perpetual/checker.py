"""The judge of a run that plays perpetual futures: reliability.md §3, by the exchange's own engine and the journal.

Two witnesses and no third: what the engine says is so, and what the entries say in so many words (`retold`). What is
sent is judged as it arrives, also where the exchange then refuses it: one that refuses a wrong order hides a wrong
guard. Orders of ours that close are reduce-only, or of one side of a hedged account: more of them than is held can
still only close (S4 counts closes, B3 stops).

Invariants
1. It reads, and changes nothing.
2. Bounds run on healthy time: they stop where the account could not be guarded, and begin anew when it is mended.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from standfast.core.policy import Foreign, HeldBy, Mode
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.events import Asked, Event, EventKind
from standfast.exchange.perpetual.floor import is_reducing
from standfast.exchange.perpetual.orders import ZERO, Order
from standfast.model import journal as j
from standfast.model.ids import ClientOrderId, Holding, PositionId, is_own
from standfast.model.journal import Entry
from standfast.model.order import CLOSING_ROLES, Role
from standfast.sim.judge.retelling import retell
from standfast.sim.judge.retold import Fate, Intent, Lot, Retold
from standfast.sim.perpetual.world import PerpWorld
from standfast.sim.watch import Violation

Side = tuple[str, int]
"""A contract's symbol, and which of its positions."""
WINDOW = timedelta(seconds=120)
"""How long after somebody else traded S3 and S4 say nothing."""
STALE = 35.0
"""Seconds by which the contract lets positions be late (`ccxt.linear`)."""
BOUNDS = {"untracked": 60 + STALE, "naked": 120 + STALE, "close": 120 + STALE, "over": 120 + STALE, "unknown": 120.0}
"""Healthy seconds a trouble may last (reliability.md §3.2, with this contract's staleness)."""
ASKS_A_MINUTE = 60
MORE_FOR_EACH = 12
"""Orders of ours that open nothing, of one contract in a minute; and more for every trade of somebody else in it."""
MINUTE = timedelta(seconds=60)


class Trouble(NamedTuple):
    """What must end within a bound: which bound, and what it is about."""

    id: str
    bound: str
    subject: str
    text: str


class PerpChecker:
    """A `PerpWatcher`."""

    def __init__(self, world: PerpWorld, is_healthy: Callable[[], bool]) -> None:
        self.retold = Retold()
        self.worst: Counter[str] = Counter()
        self.sometimes: Counter[str] = Counter()
        self.states: set[str] = set()
        self.healthy = 0.0
        self.is_quiet = False
        self._world, self._is_healthy = world, is_healthy
        self._since: dict[tuple[str, str], float] = {}
        """Healthy seconds each trouble has lasted."""
        self._disturbed: dict[Side, datetime] = {}
        self._moves: deque[tuple[datetime, str]] = deque()
        self._asks: deque[tuple[datetime, str]] = deque()
        self._opened: dict[PositionId, Decimal] = {}
        self._nets: dict[Side, deque[tuple[datetime, Decimal]]] = {}

    # --- requests as they arrive ----------------------------------------------------------------

    def asked(self, asked: Asked) -> None:
        """S1, S4, S5, S12 of what the guard sends."""
        ticket = asked.ticket
        id = link_of(ticket.link_id) if ticket is not None else ""
        if ticket is None or not is_own(id, self._world.rules.account):
            return
        if self._find(id) is not None:
            self.sometimes["the same id arrived twice"] += 1
            return
        intent = self.retold.intents.get(ClientOrderId(id))
        if intent is None:
            raise Violation("S1", f"{id} arrives and no entry says that it was meant")
        meant, holding = intent.fact.terms, self._world.holding(ticket.instrument, ticket.index)
        stop = ticket.trigger.price if ticket.trigger is not None else None
        as_meant = (
            holding == intent.fact.holding
            and ticket.side.value == meant.side.value
            and ticket.quantity == meant.quantity
            and stop == meant.stop_price
        )
        if not as_meant:
            raise Violation("S1", f"{id} arrives as {ticket}, and was meant as {meant} of {holding}")
        if intent.fate is Fate.OVER:
            raise Violation("S5", f"{id} arrives after it was settled as {intent.ended_by}")
        if intent.fact.role is not Role.OPEN:
            self._check_reduces(asked, intent)

    def _check_reduces(self, asked: Asked, intent: Intent) -> None:
        """S4: it may only reduce, points towards zero, and closes are never for more than is held."""
        ticket = asked.ticket
        assert ticket is not None, asked
        side, id = (ticket.instrument, ticket.index), intent.fact.id
        if not (ticket.reduce_only or (ticket.index and (ticket.index == 1) != (ticket.side.sign > 0))):
            raise Violation("S4", f"{id} ({intent.fact.role}) arrives, and may add")
        self._check_pace(asked.at, ticket.instrument, id)
        nets = self._nets_lately(side)
        if all(net * ticket.side.sign > 0 for net in nets):
            raise Violation(
                "S4", f"{id} ({intent.fact.role}) is to {ticket.side} where {nets[-1]} is held: the wrong way"
            )
        if intent.fact.role in CLOSING_ROLES and not self._is_disturbed(side, asked.at):
            closing = [o for o in self._own(*side) if self._role(o) in CLOSING_ROLES]
            wanted = (ticket.quantity or ZERO) + sum((order.remaining for order in closing), ZERO)
            if wanted > max(abs(net) for net in nets):
                raise Violation(
                    "S4", f"{id} makes closes for {wanted} of {self._world.holding(*side)}: {nets[-1]} held"
                )

    def _check_pace(self, at: datetime, name: str, id: str) -> None:
        """S12: a storm of orders is a bug, whatever each of them does."""
        self._asks.append((at, name))
        for kept in (self._asks, self._moves):
            while kept and kept[0][0] < at - MINUTE:
                kept.popleft()
        asks = sum(each == name for _, each in self._asks)
        lots = sum(len(found) for holding, found in self.retold.at.items() if holding in self._holdings(name))
        most = ASKS_A_MINUTE + MORE_FOR_EACH * (lots + sum(each == name for _, each in self._moves))
        if asks > most:
            raise Violation("S12", f"{asks} orders of {name} in a minute, {most} at most: {id}")

    # --- the exchange's events ------------------------------------------------------------------

    def happened(self, event: Event) -> None:
        execution = event.execution
        if event.kind is not EventKind.EXECUTION or execution is None or execution.kind is ExecutionKind.FUNDING:
            return
        side = (execution.instrument, execution.index)
        after = self._world.net(*side)
        before = after - execution.quantity * execution.side.sign
        nets = self._nets.setdefault(side, deque([(event.at, before)]))
        nets.append((event.at, after))
        while len(nets) > 2 and nets[1][0] < event.at - WINDOW:
            nets.popleft()
        id = link_of(execution.link_id)
        intent = self.retold.intents.get(id)
        if not is_own(id, self._world.rules.account) or execution.kind is not ExecutionKind.TRADE:
            self._disturbed[side] = event.at
            self._moves.append((event.at, execution.instrument))
            self.sometimes[f"an execution of kind {execution.kind}"] += 1
            return
        if intent is None:
            raise Violation("S1", f"{id} fills and no entry says that it was meant")
        if intent.fate is Fate.OVER and intent.ended_by != "filled":
            raise Violation(
                "S5", f"{intent.fact.id} fills {execution.quantity} after it was settled as {intent.ended_by}"
            )
        if intent.fact.role is Role.OPEN:
            self._check_as_asked(intent, execution.quantity)
        elif abs(after) > abs(before) or before * after < 0:
            raise Violation("S3", f"{intent.fact.id} ({intent.fact.role}) turned {before} into {after}")

    def _check_as_asked(self, intent: Intent, quantity: Decimal) -> None:
        """S2."""
        lot = self.retold.lots.get(intent.fact.position)
        asked = lot.asked if lot is not None else ZERO
        filled = self._opened[intent.fact.position] = self._opened.get(intent.fact.position, ZERO) + quantity
        if filled > asked:
            raise Violation("S2", f"{intent.fact.position} asked for {asked} and {filled} have filled")

    # --- the journal's entries ------------------------------------------------------------------

    def committed(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._check_entry(entry)
            retell(self.retold, entry)
            self.states.add(type(entry.fact).__name__)

    def _check_entry(self, entry: Entry) -> None:
        """S1, S5, S7, S8, S9 of what is written down."""
        fact = entry.fact
        if entry.epoch < self.retold.epoch:
            raise Violation("S8", f"entry {entry.number} of epoch {entry.epoch} follows one of {self.retold.epoch}")
        if entry.number != self.retold.head + 1:
            raise Violation("S9", f"entry {entry.number} follows entry {self.retold.head}")
        if isinstance(fact, j.OrderIntended):
            self._check_meant(fact)
        if isinstance(fact, j.OrderRejected | j.OrderNotSent | j.OrderNeverArrived):
            order = self._find(fact.id)
            if order is not None and (not order.is_finished or order.filled):
                raise Violation("S5", f"{fact.id} is settled as {type(fact).__name__} and is {order.status}")
        if isinstance(fact, j.PositionSettled | j.PositionWrittenOff):
            self._check_settled(fact.position)

    def _check_meant(self, fact: j.OrderIntended) -> None:
        """S1, S4 of a new intent: whether it leaves or is held back."""
        lot = self.retold.lots.get(fact.position)
        if fact.id in self.retold.intents:
            raise Violation("S1", f"{fact.id} is meant twice")
        if lot is None or not lot.is_guarded:
            raise Violation("S6", f"{fact.id} is meant for {fact.position}, which is no position that is guarded")
        if (fact.terms.side.sign == lot.sign) is not (fact.role is Role.OPEN):
            raise Violation("S4", f"{fact.id} ({fact.role}) is to {fact.terms.side}: the wrong way for {lot.id}")

    def _check_settled(self, id: PositionId) -> None:
        """S7: what leaves the books has left the account, as far as nobody else has traded since."""
        lot = self.retold.lots.get(id)
        if lot is None or not lot.is_guarded:
            return
        side = self._side(lot.holding)
        if side is None:
            return  # it was asked for where nothing can be held
        others = self.retold.booked_net(lot.holding) - lot.held * lot.sign
        nets = self._nets_lately(side)
        if self._is_disturbed(side, self._world.now) or any(abs(net - others) <= abs(lot.held) for net in nets):
            return
        raise Violation("S7", f"{id} is settled, and {nets[-1]} {lot.holding} is held where others explain {others}")

    # --- time -----------------------------------------------------------------------------------

    def tick(self, now: datetime) -> None:
        if not self._is_healthy():
            return
        self.healthy += 1
        lasting: dict[tuple[str, str], float] = {}
        for trouble in self._troubles():
            key = (trouble.id, trouble.subject)
            seconds = lasting[key] = self._since.get(key, 0.0) + 1.0
            self.worst[trouble.bound] = int(max(self.worst[trouble.bound], seconds))
            if seconds > BOUNDS[trouble.bound]:
                raise Violation(trouble.id, f"{trouble.text} for {seconds:.0f} healthy seconds")
        self._since = lasting

    def _troubles(self) -> Iterator[Trouble]:
        if not self.retold.began or self._world.rules.mode is not Mode.REPAIR:
            return
        for side in self._world.sides():
            holding, net = self._world.holding(*side), self._world.net(*side)
            lots = self.retold.lots_at(holding)
            booked = self.retold.booked_net(holding)
            if net != booked and not self._is_told(holding):
                yield Trouble(
                    "B1", "untracked", str(holding), f"{holding}: {net} at the exchange, {booked} in the books"
                )
            yield from self._naked(side, holding, net, lots)
            yield from self._over(side, holding, net)
            for lot in lots:
                if lot.closing is not None and lot.held > lot.closing.remain and net:
                    text = f"{lot.id} is to be closed ({lot.closing.reason}) and {lot.held} {holding} is held"
                    yield Trouble("B4", "close", lot.id, text)
        for intent in self.retold.unsettled():
            if intent.fate is Fate.DOUBTED:
                yield Trouble("B5", "unknown", intent.fact.id, f"nobody knows what became of {intent.fact.id}")

    def _is_told(self, holding: Holding) -> bool:
        """Foreign quantity that the policy leaves alone is tracked by a break that says so."""
        if self._world.rules.foreign is Foreign.ADOPT:
            return False
        return any(found.holding == holding and found.told for found in self.retold.breaks.values())

    def _naked(self, side: Side, holding: Holding, net: Decimal, lots: Sequence[Lot]) -> Iterator[Trouble]:
        """B2: what the policy wants under a stop at the exchange and is not, nor being closed."""
        if not net or not self._wants_cover(lots) or any(lot.closing is not None for lot in lots):
            return
        guarded = min(sum((lot.held for lot in lots if lot.is_guarded and not lot.bare), ZERO), abs(net))
        stops = [order for order in self._world.working(*side) if _protects(order, net)]
        cover = sum((abs(net) if order.ticket.quantity is None else order.remaining for order in stops), ZERO)
        is_full = sum(order.is_conditional for order in self._world.engine.working(self._world.account_name, side[0]))
        if cover < guarded and is_full < self._world.engine.rules.conditional_max:
            yield Trouble("B2", "naked", str(holding), f"{guarded} {holding} is held and {cover} is under a stop")

    def _wants_cover(self, lots: Sequence[Lot]) -> bool:
        guarded = [lot for lot in lots if lot.is_guarded and not lot.bare]
        if not guarded:
            return False
        policies = [self._world.rules.policy(lot.strategy, lot.holding, "perpetual") for lot in guarded]
        return all(each.held_by is not HeldBy.GUARD and each.minimum_hold == timedelta(0) for each in policies)

    def _over(self, side: Side, holding: Holding, net: Decimal) -> Iterator[Trouble]:
        """B3: stops of ours for more than is held, or where nothing is."""
        stops = [order for order in self._own(*side) if order.is_conditional]
        total = sum((order.remaining for order in stops if order.side.sign * net < 0), ZERO)
        astray = [order for order in stops if order.side.sign * net >= 0]
        if total > abs(net) or astray:
            text = f"our stops are for {total} of {holding}, {len(astray)} more the other way, and {net} is held"
            yield Trouble("B3", "over", str(holding), text)

    # --- the end --------------------------------------------------------------------------------

    def quiet(self) -> None:
        """Faults have ended: from here on all must converge."""
        self.is_quiet = True

    async def finish(self, *told: str) -> None:
        """B9, S9, S13, and the money: once everything has come to rest."""
        for side in self._world.sides():
            self._check_at_rest(side)
        doubtful = [intent.fact.id for intent in self.retold.unsettled()]
        if doubtful:
            raise Violation("B9", f"nothing says what became of {', '.join(doubtful)}")
        unanswered = sorted(set(self.retold.asked) - set(self.retold.done))
        if unanswered:
            raise Violation("S10", f"acts were taken and never answered: {', '.join(unanswered)}")

    def _check_at_rest(self, side: Side) -> None:
        holding, net = self._world.holding(*side), self._world.net(*side)
        booked, lots = self.retold.net(holding), self.retold.lots_at(holding)
        if net != booked and not self._is_told(holding):
            raise Violation("B9", f"{holding}: {net} at the exchange, {booked} in the books, at the end")
        for trouble in (*self._naked(side, holding, net, lots), *self._over(side, holding, net)):
            raise Violation("B9", f"{trouble.text}, at the end")
        for order in self._own(*side):
            if self._role(order) not in (Role.STOP, Role.TARGET, Role.OPEN):
                raise Violation("B9", f"{order.ticket.link_id} works on at the end")

    # --- words ----------------------------------------------------------------------------------

    def _own(self, symbol: str, index: int) -> list[Order]:
        account = self._world.rules.account
        return [order for order in self._world.working(symbol, index) if is_own(link_of(order.ticket.link_id), account)]

    def _find(self, id: str) -> Order | None:
        engine, account = self._world.engine, self._world.account_name
        return engine.order_by_link(account, id) or engine.order_by_link(account, f"algo:{id}")

    def _role(self, order: Order) -> Role | None:
        intent = self.retold.intents.get(link_of(order.ticket.link_id))
        return intent.fact.role if intent is not None else None

    def _side(self, holding: Holding) -> Side | None:
        return next((side for side in self._world.sides() if self._world.holding(*side) == holding), None)

    def _holdings(self, symbol: str) -> list[Holding]:
        return [self._world.holding(*side) for side in self._world.sides() if side[0] == symbol]

    def _is_disturbed(self, side: Side, now: datetime) -> bool:
        at = self._disturbed.get(side)
        return at is not None and now - at <= WINDOW

    def _nets_lately(self, side: Side) -> list[Decimal]:
        """What was held at any moment of the window, the last as it is."""
        now, net = self._world.now, self._world.net(*side)
        kept = self._nets.get(side)
        if kept is None:
            return [net]
        found = [held for at, held in kept if at >= now - WINDOW]
        before = [held for at, held in kept if at < now - WINDOW]
        return [*before[-1:], *found, net]


def link_of(told: str) -> ClientOrderId:
    """A client order id; Binance keeps those of conditional orders apart."""
    return ClientOrderId(told.removeprefix("algo:"))


def _protects(order: Order, net: Decimal) -> bool:
    trigger = order.ticket.trigger
    if not order.is_conditional or trigger is None or not is_reducing(order):
        return False
    return trigger.rises == (net < 0) and order.side.sign * net < 0
