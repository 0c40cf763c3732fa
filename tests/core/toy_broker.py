"""A broker that keeps its word at once, and a guard of pure decisions in front of it.

`Desk.run` decides, applies what was asked, folds what came of it, and looks again until nothing is asked for any
more. Faults are given one by one: which submits are refused, which cancels are lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.core.book import Book
from standfast.core.decide import decide
from standfast.core.fills import book_fill
from standfast.core.policy import Rules
from standfast.core.sending import why_not
from standfast.core.situation import Sight, Situation
from standfast.model import journal as j
from standfast.model.contract import Contract
from standfast.model.effects import (
    CancelOrder,
    Effect,
    QueryOrder,
    ReadOrders,
    ReadPositions,
    ReplaceOrder,
    SubmitOrder,
)
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import ZERO, OrderReport, OrderState, OrderType, Role, Terms
from tests.core.situations import CONTRACT, NOW, SPY, fill, folded, quoted, ruled, situation, told

LOOKS_MAX = 60


@dataclass(slots=True, kw_only=True)
class Desk:
    """The toy broker and the book of the guard that works with it."""

    book: Book
    rules: Rules = field(default_factory=ruled)
    contract: Contract = CONTRACT
    now: datetime = NOW
    is_open: bool = True
    instruments: dict[InstrumentId, Instrument] = field(default_factory=dict)
    net: dict[Holding, Decimal] = field(default_factory=dict)
    orders: dict[BrokerOrderId, OrderReport] = field(default_factory=dict)
    sights: dict[Holding, Sight] = field(default_factory=lambda: {SPY: quoted("100", "100.02")})
    refuses: Callable[[SubmitOrder | ReplaceOrder], str] = lambda effect: ""
    """The kind of refusal an order gets; empty for none."""
    loses_cancel: Callable[[CancelOrder], str] = lambda effect: ""
    fills_markets: bool = True
    sent: list[Effect] = field(default_factory=list)
    facts: list[j.Fact] = field(default_factory=list)
    """Everything told since it was made."""
    over: list[str] = field(default_factory=list)
    """Moments at which what could reduce a holding exceeded what was held."""
    executions: int = 0
    asked: dict[str, datetime] = field(default_factory=dict)
    read_after: int = -1
    """The journal's head when positions and orders were last read; they are read on demand and when time passes."""
    read_net: dict[Holding, Decimal] = field(default_factory=dict)
    read_orders: list[OrderReport] = field(default_factory=list)

    def read(self) -> None:
        """Both lists, as they are now."""
        self.read_after, self.read_net = self.book.head, dict(self.net)
        self.read_orders = [order for order in self.orders.values() if not order.is_finished]

    def situation(self) -> Situation:
        self.sights = {h: Sight(replace(s.quote, received=self.now), s.before) for h, s in self.sights.items()}
        return situation(
            self.book,
            held=self.read_net,
            listed=self.read_orders,
            asked_after=self.read_after,
            sights=self.sights,
            now=self.now,
            is_open=self.is_open,
            rules=self.rules,
            contract=self.contract,
            asked=self.asked,
            instruments=self.instruments,
        )

    def run(self, looks: int = LOOKS_MAX) -> None:
        """Look until nothing is asked for and nothing recorded. Raises AssertionError when it never rests."""
        for _ in range(looks):
            if not self.look():
                return
        raise AssertionError(f"not at rest after {looks} looks: {self.sent[-4:]}")

    def look(self) -> bool:
        """One decision, carried out. Whether anything came of it."""
        if self.read_after < 0:
            self.read()
        s = self.situation()
        holdings = set(self.book.holdings()) | set(self.net)
        decision = decide(s, holdings)
        self.tell(*decision.facts)
        acted = False
        for effect in decision.effects:
            acted = self._carry_out(effect) or acted
        return bool(decision.facts) or acted

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.read()

    def tell(self, *facts: j.Fact) -> None:
        self.facts += facts
        told(self.book, *facts, at=self.now)

    def _carry_out(self, effect: Effect) -> bool:
        match effect:
            case SubmitOrder() | ReplaceOrder() if why := why_not(self.situation(), effect.intent):
                self.tell(j.OrderNotSent(id=effect.intent.id, reason=f"withdrawn, {why}", withdrawn=True))
            case SubmitOrder():
                self.sent.append(effect)
                self._submit(effect)
            case ReplaceOrder():
                self.sent.append(effect)
                self._replace(effect)
            case CancelOrder():
                self.sent.append(effect)
                self._cancel(effect)
            case QueryOrder():
                return self._query(effect)
            case ReadPositions() | ReadOrders():
                stale = self.read_after < self.book.head
                self.read()
                return stale
            case _:
                return False  # timers, and reads of what the toy tells by itself
        self._check(effect)
        return True

    def _submit(self, effect: SubmitOrder) -> None:
        intent = effect.intent
        refusal = self.refuses(effect)
        if refusal == "not_sent":
            self.tell(j.OrderNotSent(id=intent.id, reason="no route"))
        elif refusal:
            self.tell(j.OrderRejected(id=intent.id, reason="refused", kind=refusal))
        else:
            self.accept(intent)

    def accept(self, intent: j.OrderIntended, state: OrderState = OrderState.WORKING) -> None:
        shown = reported(intent.id, intent.holding, intent.terms, state)
        self.orders[shown.broker_id] = shown
        self.tell(
            j.OrderAccepted(id=intent.id, broker_id=shown.broker_id),
            j.OrderObserved(report=shown, position=intent.position, role=intent.role),
        )
        if intent.terms.type is OrderType.MARKET and self.fills_markets:
            self.fill(shown.broker_id)

    def _replace(self, effect: ReplaceOrder) -> None:
        refusal = self.refuses(effect)
        if refusal:
            self.tell(j.OrderRejected(id=effect.intent.id, reason="refused", kind=refusal))
            return
        self.orders[effect.broker_id] = replace(self.orders[effect.broker_id], state=OrderState.REPLACED)
        self.accept(effect.intent)

    def _cancel(self, effect: CancelOrder) -> None:
        self.asked[f"cancel {effect.broker_id}"] = self.now
        lost = self.loses_cancel(effect)
        outcome = lost or "received"
        self.tell(j.CancelAnswered(broker_id=effect.broker_id, holding=effect.holding, outcome=outcome))
        if not lost:
            self.end(effect.broker_id, OrderState.CANCELLED)

    def end(self, broker_id: BrokerOrderId, state: OrderState) -> None:
        """The order is over, at the broker and (by a read of it) in the book."""
        order = self.orders.get(broker_id)
        if order is None:
            return
        legs = tuple(replace(leg, state=state) for leg in order.legs)
        self.orders[broker_id] = replace(order, state=state, legs=legs)
        self.observe(broker_id)

    def observe(self, broker_id: BrokerOrderId) -> None:
        known = self.book.order_by_broker(broker_id)
        role, position = (known.role, known.position) if known is not None else (Role.FOREIGN, None)
        self.tell(j.OrderObserved(report=self.orders[broker_id], position=position, role=role))

    def _query(self, effect: QueryOrder) -> bool:
        for order in self.orders.values():
            if effect.broker_id == order.broker_id or (
                effect.broker_id is None and effect.client_id == order.client_id
            ):
                known = self.book.order_by_broker(order.broker_id) or self.book.state.orders.get(order.client_id)
                if known is not None and known.report is not None and known.report.state is order.state:
                    return False
                self.observe(order.broker_id)
                return True
        return False

    def fill(self, broker_id: BrokerOrderId, quantity: Decimal | None = None, price: str = "100") -> None:
        """The order fills, and its fill is booked."""
        order = self.orders[broker_id]
        size = quantity if quantity is not None else order.remaining
        done = order.filled + size
        state = OrderState.FILLED if done == order.quantity else OrderState.WORKING
        over = OrderState.CANCELLED if state is OrderState.FILLED else OrderState.HELD
        legs = tuple(replace(leg, quantity=order.quantity - done, state=over) for leg in order.legs)
        self.orders[broker_id] = replace(order, filled=done, state=state, average_price=Decimal(price), legs=legs)
        self.net[order.holding] = self.net.get(order.holding, ZERO) + size * order.side.sign
        self.executions += 1
        self.observe(broker_id)
        made = fill(f"x{self.executions}", broker_id, order.side, size, price, holding=order.holding, at=self.now)
        self.tell(*book_fill(self.book, self.rules, made))

    def _check(self, effect: Effect) -> None:
        """At the broker, what could still take off a holding never exceeds what is held (an OCO pair counts once)."""
        for holding, net in self.net.items():
            reducing = sum(
                (o.remaining for o in self.orders.values() if o.holding == holding and o.side.sign * net < 0), ZERO
            )
            if reducing > abs(net):
                self.over.append(f"{reducing} against {net} {holding} after {effect}")

    def alive(self) -> list[OrderReport]:
        return [order for order in self.orders.values() if not order.is_finished]


def desk(*facts: j.Fact, **changes: Any) -> Desk:
    """A desk whose broker holds what the book says."""
    book = folded(*facts)
    net: dict[Holding, Decimal] = {}
    for position in book.state.positions.values():
        net[position.holding] = net.get(position.holding, ZERO) + position.net
    return Desk(book=book, net=net, **changes)


def reported(id: ClientOrderId, holding: Holding, terms: Terms, state: OrderState = OrderState.WORKING) -> OrderReport:
    """What the broker shows of an order just accepted; a stop with a target is an OCO pair, the stop held in it."""
    broker_id = BrokerOrderId(f"b-{id}")
    plain = OrderReport(
        broker_id=broker_id,
        client_id=id,
        holding=holding,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        quantity=terms.quantity,
        filled=ZERO,
        state=state,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
    )
    if terms.target_price is None:
        return plain
    leg = replace(
        plain,
        broker_id=BrokerOrderId(f"{broker_id}-leg"),
        client_id=ClientOrderId(f"leg of {id}"),
        state=OrderState.HELD,
        parent_id=broker_id,
        order_class="oco",
    )
    return replace(
        plain, type=OrderType.LIMIT, limit_price=terms.target_price, stop_price=None, order_class="oco", legs=(leg,)
    )
