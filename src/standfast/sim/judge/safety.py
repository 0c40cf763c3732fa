"""Safety (reliability.md §3.1): what must never be, judged at the event by the exchange's truth and the journal.

Two kinds of check, on purpose: what happened (S2, S3, S5 at a fill), and what was asked for (S1, S4, S12 as a request
arrives, also one that the exchange then refuses). An exchange that refuses a wrong order hides a wrong guard.

Where design.md differs it wins: fills that add up prove a close (S7), an order that replaces another counts once, two
exits of one pair count once, and an exit that was to be cancelled and cannot be read may be left to the exchange's own
check (`core.cover.is_let_go`).
"""

from collections import Counter, deque
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.core.policy import Mode, Rules
from standfast.exchange.events import Asked, Event
from standfast.exchange.orders import Change, Order, OrderType
from standfast.model import journal as j
from standfast.model.contract import Contract
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, PositionId, is_own, is_told_as
from standfast.model.order import CLOSING_ROLES, Role
from standfast.sim.judge.books import truly_filled
from standfast.sim.judge.retold import ZERO, Fate, Intent, Retold
from standfast.sim.judge.witness import FILLS, WINDOW, Witness, reducing_quantity
from standfast.sim.watch import Violation

MINUTE = timedelta(seconds=60)
ASKS_A_MINUTE = 40
"""Orders and replacements of one instrument with one position, none of which opens, in any minute in which nobody else
traded. A refused close that is tried again takes away and puts back its stop as well."""
MORE_FOR_EACH_LOT = 20
MORE_FOR_EACH = 10
"""More of them for every movement of somebody else in that minute."""
SENDS_A_MINUTE = 120
"""Requests to change something that leave in any minute, whatever becomes of them, for each instrument there is."""
NAMELESS = Change()
WRITES = frozenset({"send submit", "send replace", "send cancel"})


class Safety:
    """Told of every request, event and entry; raises `Violation` at what may not be."""

    def __init__(self, witness: Witness, retold: Retold, rules: Rules, contract: Contract) -> None:
        self.witness, self.retold = witness, retold
        self.rules, self.contract = rules, contract
        self.sometimes: Counter[str] = Counter()
        self._opened: dict[PositionId, Decimal] = {}
        self._asks: dict[str, deque[datetime]] = {}
        self._openings: set[ClientOrderId] = set()
        """Those that have arrived: of its copies at most one ever lives."""
        self._sends: deque[datetime] = deque()
        self._moves: dict[str, deque[datetime]] = {}
        self._starts: dict[int, int] = {}

    def effect(self, name: str) -> None:
        """S12: what leaves is bounded too: what is refused or lost on its way has cost the broker's budget."""
        if name not in WRITES:
            return
        now = self.witness.engine.now
        sends = _lately(self._sends, now)
        sends.append(now)
        most = SENDS_A_MINUTE * len(self.witness.engine.assets())
        if len(sends) > most:
            raise Violation("S12", f"{len(sends)} requests to change something in a minute, {most} at most")

    # --- requests as they arrive ----------------------------------------------------------------

    def arrived(self, asked: Asked) -> None:
        """S1, S4, S5, S12 of what the guard asks for. What others ask for is theirs to ask."""
        id = (asked.ticket or asked.change or NAMELESS).client_order_id or ""
        if not is_own(id, self.rules.account):
            return
        if self.witness.find(id) is not None:
            self.sometimes["the same id arrived twice"] += 1
            return
        intent = self.retold.intents.get(ClientOrderId(id))
        if intent is None:
            raise Violation("S1", f"{id} arrives and no entry says that it was meant")
        if self.rules.mode is not Mode.REPAIR:
            raise Violation("S12", f"{id} arrives in mode {self.rules.mode}: only repair sends orders")
        self._check_as_meant(asked, intent)
        if intent.fate is Fate.OVER:
            raise Violation("S5", f"{id} arrives after it was settled as {intent.ended_by}")
        self._check_pace(asked, intent)
        if intent.fact.role is not Role.OPEN:
            self._check_reduces(asked, intent)

    def _check_as_meant(self, asked: Asked, intent: Intent) -> None:
        meant, id = intent.fact.terms, intent.fact.id
        if asked.ticket is not None:
            terms = asked.ticket.terms
            is_pair = meant.target_price is not None
            profit = asked.ticket.take_profit  # where a pair's limit travels in the dialect
            limit = profit.limit_price if is_pair and profit is not None else terms.limit_price
            kind = OrderType.LIMIT if is_pair else OrderType(meant.type.value)
            as_meant = (
                terms.instrument == intent.fact.holding.instrument
                and terms.side.value == meant.side.value
                and terms.quantity == meant.quantity
                and terms.type is kind
                and limit == (meant.target_price if is_pair else meant.limit_price)
                and terms.stop_price == (None if is_pair else meant.stop_price)
            )
        else:
            change, old = asked.change, self.witness.engine.order(asked.account, asked.order_id)
            assert change is not None, asked
            as_meant = (
                _is_told_of(old, intent.fact.replaces)
                and old.side.value == meant.side.value
                and change.quantity in (None, meant.quantity + old.filled, meant.quantity)
                and change.stop_price in (None, meant.stop_price)
            )
        if not as_meant:
            raise Violation("S1", f"{id} arrives as {asked}, and was meant as {meant}")

    def _check_reduces(self, asked: Asked, intent: Intent) -> None:
        """S4: with everything else of ours that may still reduce, no more is asked for than is held."""
        if self._replaces_what_is_over(asked):
            return
        fact, instrument = intent.fact, intent.fact.holding.instrument
        sign = -fact.terms.side.sign
        orders = [order for order in self.witness.working(instrument) if self.witness.is_own(order)]
        if fact.role in CLOSING_ROLES:
            self._check_single(intent, orders)
        orders = [order for order in orders if not self._is_no_exit(order, intent)]
        wanted = fact.terms.quantity + reducing_quantity(orders, sign, without=asked.order_id)
        nets = [self.witness.net(instrument)]
        if self.witness.is_disturbed(
            instrument
        ):  # then what was so before, and what its own fills prove, are right too
            nets += [*self.witness.nets_within(instrument, WINDOW), sign * self.retold.proven(fact.holding, sign)]
        allowed = max(net * sign for net in nets) + self._unheard(fact.holding, sign)
        if wanted > max(allowed, ZERO):
            raise Violation(
                "S4",
                f"{fact.id} ({fact.role}) asks to {fact.terms.side} {fact.terms.quantity} of {instrument}: with what "
                f"rests that makes {wanted}, and {nets[0]} is held",
            )

    def _replaces_what_is_over(self, asked: Asked) -> bool:
        """Whether the place it is to take is gone: it cannot rest beside anything, wherever it is refused."""
        return asked.change is not None and self.witness.engine.order(asked.account, asked.order_id).is_finished

    def _check_single(self, intent: Intent, orders: list[Order]) -> None:
        """P4: at most one closing order of a position works."""
        for order in orders:
            other = self.retold.intents.get(ClientOrderId(order.client_order_id))
            if other is None or other.fact.role not in CLOSING_ROLES or other is intent:
                continue
            if other.fact.position == intent.fact.position:
                raise Violation("S12", f"{intent.fact.id} arrives while {other.fact.id} closes the same position")

    def _is_no_exit(self, order: Order, beside: Intent) -> bool:
        """Whether it opens, or nobody could know that it lives as the other was sent, or its cancel was asked for.

        The stop that an opening brings comes to life by itself; what was to be cancelled is the exchange's to refuse.
        """
        root = self.witness.root(order)
        intent = self.retold.intents.get(ClientOrderId(root.client_order_id))
        if intent is None or intent.cancel_at is not None or BrokerOrderId(order.id) in self.retold.given_up:
            return intent is not None
        if intent.fact.role is not Role.OPEN:
            return False
        since, now = order.live_at, self.witness.engine.now
        if order is root or since is None or now - since < self.contract.staleness:
            return True
        return beside.at < since and now - beside.at <= self.contract.flight

    def _unheard(self, holding: Holding, sign: int) -> Decimal:
        """What exits have filled without the journal knowing: those to be cancelled, and those an opening brought."""
        total = ZERO
        for intent in self.retold.intents_at.get(holding, {}).values():
            if intent.cancel_at is not None and intent.fact.terms.side.sign == -sign:
                total += max(truly_filled(self.witness, intent) - max(intent.reported, intent.executed), ZERO)
            elif intent.fact.role is Role.OPEN and intent.fact.terms.side.sign == sign:
                order = self.witness.find(intent.fact.id)
                for id in order.leg_ids if order is not None else ():
                    total += self.witness.filled.get(id, ZERO) - self.retold.booked.get(BrokerOrderId(id), ZERO)
        return total

    def _check_pace(self, asked: Asked, intent: Intent) -> None:
        """S12: a storm of orders is a bug, whatever each of them does."""
        if intent.fact.role is Role.OPEN:
            name, most = f"openings of {self.rules.account}", self.rules.limits.orders_per_minute
            if most is None or intent.fact.id in self._openings:
                return
            self._openings.add(intent.fact.id)
        else:
            name = str(intent.fact.holding.instrument)
            lots = len(self.retold.at.get(intent.fact.holding, ()))
            most = ASKS_A_MINUTE + MORE_FOR_EACH_LOT * max(lots - 1, 0)
            most += MORE_FOR_EACH * len(_lately(self._moves.get(name), asked.at))
        asks = _lately(self._asks.setdefault(name, deque()), asked.at)
        asks.append(asked.at)
        if len(asks) > most:
            raise Violation("S12", f"{len(asks)} orders of {name} in a minute, {most} at most: {intent.fact.id}")

    # --- the exchange's events ------------------------------------------------------------------

    def happened(self, event: Event) -> None:
        if event.kind not in FILLS:
            return
        order, quantity = event.order, event.quantity
        assert quantity is not None, event
        if not self.witness.is_own(order):
            self._moves.setdefault(order.instrument, deque()).append(event.at)
            return
        intent = self.retold.intents.get(ClientOrderId(self.witness.root(order).client_order_id))
        if intent is None:
            raise Violation("S1", f"{order.client_order_id} fills and no entry says that it was meant")
        if intent.fate is Fate.OVER and intent.ended_by != "filled":
            raise Violation("S5", f"{intent.fact.id} fills {quantity} after it was settled as {intent.ended_by}")
        if intent.fact.role is Role.OPEN and order.parent_id is None:
            self._check_as_asked(intent, quantity)
        else:
            self._check_towards_zero(event, intent)

    def _check_as_asked(self, intent: Intent, quantity: Decimal) -> None:
        """S2: over all orders of one request, no more fills than was asked for."""
        lot = self.retold.lots.get(intent.fact.position)
        asked = lot.asked if lot is not None else ZERO
        filled = self._opened[intent.fact.position] = self._opened.get(intent.fact.position, ZERO) + quantity
        if filled > asked:
            raise Violation("S2", f"{intent.fact.position} asked for {asked} and {filled} have filled")

    def _check_towards_zero(self, event: Event, intent: Intent) -> None:
        """S3: what may only reduce has reduced."""
        assert event.quantity is not None, event
        after = event.position_quantity
        assert after is not None, event
        before = after - event.quantity * event.order.side.sign
        if (abs(after) > abs(before) or before * after < 0) and not self.witness.is_disturbed(event.order.instrument):
            raise Violation("S3", f"{intent.fact.id} ({intent.fact.role}) turned {before} into {after}")

    # --- the journal's entries ------------------------------------------------------------------

    def committing(self, entry: j.Entry) -> None:
        """Before the entry is retold: what it says, against what is so."""
        self._check_order(entry)
        fact = entry.fact
        if isinstance(fact, j.OrderIntended):
            self._check_meant(fact)
        elif isinstance(fact, j.OrderRejected | j.OrderNotSent | j.OrderNeverArrived):
            self._check_unsent(fact)

    def _check_order(self, entry: j.Entry) -> None:
        """S8, S9: one writer at a time, no number left out."""
        if entry.epoch < self.retold.epoch:
            raise Violation("S8", f"entry {entry.number} of epoch {entry.epoch} follows one of {self.retold.epoch}")
        if entry.number != self.retold.head + 1:
            raise Violation("S9", f"entry {entry.number} follows entry {self.retold.head}")
        if isinstance(entry.fact, j.GuardStarted):
            first = self._starts.setdefault(entry.epoch, entry.number)
            if first != entry.number:
                raise Violation("S8", f"two guards began under epoch {entry.epoch}: entries {first} and {entry.number}")

    def _check_meant(self, fact: j.OrderIntended) -> None:
        """S2 and rule of evidence 7 of a new intent."""
        lot = self.retold.lots.get(fact.position)
        if fact.id in self.retold.intents:
            raise Violation("S1", f"{fact.id} is meant twice")
        if lot is None:
            raise Violation("S6", f"{fact.id} is meant for {fact.position}, which is no position")
        if not lot.is_guarded:
            raise Violation("S3", f"{fact.id} is meant for {fact.position}, which is foreign")
        if fact.role is Role.OPEN and (fact.terms.quantity > lot.asked or fact.terms.side.sign != lot.sign):
            raise Violation("S2", f"{fact.id}: {fact.terms.side} {fact.terms.quantity}, asked {lot.asked * lot.sign}")
        most = self.retold.closable(lot)
        if fact.role in CLOSING_ROLES and fact.terms.quantity > most:
            raise Violation("S4", f"{fact.id} is meant to close {fact.terms.quantity} of {lot.id}, {most} are to close")
        for other in self.retold.working(fact.holding):
            same = (other.fact.position, other.fact.role) == (fact.position, fact.role)
            if same and not other.is_known:
                raise Violation("S6", f"{fact.id} is meant while {other.fact.id}, for the same, is not settled")

    def _check_unsent(self, fact: j.OrderRejected | j.OrderNotSent | j.OrderNeverArrived) -> None:
        """S5: what is settled as refused, not sent or never arrived is not there."""
        intent, order = self.retold.intents.get(fact.id), self.witness.find(fact.id)
        if intent is None or intent.is_known or order is None:
            return
        if isinstance(fact, j.OrderNotSent) and intent.fate is not Fate.MEANT:
            return  # of this copy only
        if isinstance(fact, j.OrderNeverArrived) or not order.is_finished or order.filled:
            raise Violation(
                "S5", f"{fact.id} is settled by {type(fact).__name__}, and the exchange has it {order.status}"
            )


def _lately(times: deque[datetime] | None, now: datetime) -> deque[datetime]:
    """Forget what is more than a minute ago."""
    if times is None:
        return deque()
    while times and now - times[0] > MINUTE:
        times.popleft()
    return times


def _is_told_of(order: Order, id: ClientOrderId | None) -> bool:
    """Whether it is known by this id: its own, changed on its way where it is no order of ours, or the exchange's."""
    return id is not None and (id == order.id or is_told_as(id, ClientOrderId(order.client_order_id)))
