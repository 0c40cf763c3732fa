"""How an order lives: placed, triggered, looked at, filled, finished; and what that does to its position's own stops.

The one place where an order's status changes. A fill is: the position, the execution and the wallet, the order, the
events of all four, the stops that came or went with it; in that order, within one call.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from standfast.exchange.orders import Side
from standfast.exchange.perpetual.admission import Admission
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.contract import money
from standfast.exchange.perpetual.events import EventKind
from standfast.exchange.perpetual.floor import Floor, is_reducing
from standfast.exchange.perpetual.orders import (
    OF_POSITION,
    ZERO,
    Ended,
    InForce,
    Kind,
    Order,
    PriceBy,
    Role,
    Status,
    Ticket,
)
from standfast.exchange.perpetual.positions import Position

Opened = Callable[[Order, Decimal], None]
AT_ONCE = frozenset({InForce.IOC, InForce.FOK})


class Lifecycle:
    def __init__(self, floor: Floor, admission: Admission) -> None:
        self._floor = floor
        self._admission = admission
        self.on_opened: list[Opened] = []
        """Told of an order and how much of its position it has just opened."""

    def place(self, account: str, ticket: Ticket, role: Role = Role.PLAIN) -> Order:
        """Take a ticket that was judged. What is to follow at once has followed when this returns."""
        floor = self._floor
        waits = ticket.trigger is not None or ticket.trail is not None
        order = floor.record(
            Order(
                id=floor.ids.uuid(),
                number=floor.next_number(),
                account=account,
                ticket=ticket,
                role=Role.STOP if waits and role is Role.PLAIN else role,
                status=Status.UNTRIGGERED if waits else Status.NEW,
                created_at=floor.now,
                updated_at=floor.now,
                price_then=floor.price(ticket.instrument, PriceBy.LAST) or ZERO,
            )
        )
        if waits:
            self._tell_placed(order)
            self.watch(order.id)
        else:
            order = self._bounded(order)
            self._tell_placed(order)
            self._send_to_market(order.id)
        return floor.orders[order.id]

    def _tell_placed(self, order: Order) -> None:
        """With a look at the position, which has not changed: exchanges show it on whatever is done to an order."""
        self._floor.tell_order(EventKind.PLACED, order)
        self._floor.tell_position(order.account, order.instrument, order.index)

    def _bounded(self, order: Order) -> Order:
        """An order that may only reduce asks for no more than there is; one without a quantity, for all of it."""
        if not is_reducing(order):
            return order
        held = self._admission.reducible(order.account, order.ticket)
        asked = order.ticket.quantity
        quantity = held if asked is None else min(asked, held)
        if not quantity or quantity == asked:
            return order
        return self._floor.record(replace(order, ticket=replace(order.ticket, quantity=quantity)))

    def _send_to_market(self, order_id: str) -> None:
        floor = self._floor
        if floor.rules.fill_after:
            floor.agenda.put(floor.now + floor.rules.fill_after, lambda: self.look(order_id))
        else:
            self.look(order_id)

    # Triggers

    def watch(self, order_id: str) -> None:
        """Let a conditional order see the price: follow it, and fire."""
        order = self._floor.orders[order_id]
        if not order.is_conditional:
            return
        if order.ticket.trail is not None:
            order = self._followed(order)
            if order.ticket.trail is None or order.ticket.trail.best is None:
                return  # its price to become active at has not come
        trigger = order.ticket.trigger
        price = None if trigger is None else self._floor.price(order.instrument, trigger.by)
        if trigger is not None and price is not None and trigger.is_reached(price):
            self._fire(order)

    def _followed(self, order: Order) -> Order:
        trail, trigger = order.ticket.trail, order.ticket.trigger
        assert trail is not None
        assert trigger is not None, "a trail has a trigger, wherever it lies yet"
        price = self._floor.price(order.instrument, trigger.by)
        if price is None:
            return order
        rises = trigger.rises  # a short's stop rises to fire, and follows the price down
        if trail.best is None:
            start = trail.activates_at
            if start is not None and (price > start if rises else price < start):
                return order
        best = price if trail.best is None else (min if rises else max)(trail.best, price)
        if best == trail.best:
            return order
        moved = replace(trigger, price=self._floor.contract(order.instrument).on_tick(trail.behind(best, rises=rises)))
        ticket = replace(order.ticket, trail=replace(trail, best=best), trigger=moved)
        return self._become(replace(order, ticket=ticket), order.status, EventKind.AMENDED)

    def _fire(self, order: Order) -> None:
        floor = self._floor
        order = replace(order, triggered_at=floor.now)
        order = self._become(order, Status.NEW, EventKind.TRIGGERED)
        if is_reducing(order) and not self._admission.reducible(order.account, order.ticket):
            self.finish(order, Ended.REDUCE_ONLY, status=Status.REJECTED)
        elif self._admission.lacks_margin(order):
            self.finish(order, Ended.NO_MONEY, status=Status.REJECTED)
        else:
            self._send_to_market(self._bounded(order).id)

    # The market

    def look(self, order_id: str) -> None:
        """Let a working order see the quote and trade; then end it if it gets only one look."""
        floor, order = self._floor, self._floor.orders[order_id]
        if not order.is_working or floor.now < (order.triggered_at or order.created_at) + floor.rules.fill_after:
            return
        ending = self._trade(order)
        order = floor.orders[order_id]
        if order.is_finished:
            return
        if ending is not None:
            self.finish(order, ending)
        elif order.ticket.kind is Kind.MARKET or order.ticket.in_force in AT_ONCE:
            self.finish(order, Ended.NO_MARKET)
        elif not order.is_resting:
            floor.record(replace(order, is_resting=True))

    def _trade(self, order: Order) -> Ended | None:
        """Fill what may fill; why the order has to end now, if it has to."""
        floor = self._floor
        price = self._price_for(order)
        wanted = order.remaining
        if is_reducing(order):
            wanted = min(wanted, self._admission.reducible(order.account, order.ticket))
            if not wanted:
                return Ended.REDUCE_ONLY
        if price is None:
            return None
        if order.ticket.in_force is InForce.POST_ONLY and not order.is_resting:
            return Ended.WOULD_TAKE
        allowed = min(wanted, floor.fills.allowed(order, wanted))
        offered = self._offered(order)
        quantity = floor.contract(order.instrument).on_step(allowed if offered is None else min(allowed, offered))
        if order.ticket.in_force is InForce.FOK and quantity < wanted:
            return Ended.NOT_WHOLE
        if quantity > ZERO:
            self.fill(order, quantity, price, is_maker=order.is_resting)
        return None

    def _price_for(self, order: Order) -> Decimal | None:
        """At what the quote lets the order trade: at its own limit where it has been waiting for it."""
        floor, ticket = self._floor, order.ticket
        prices = floor.prices[order.instrument]
        if prices.quote is None or not floor.is_trading(order.instrument):
            return None
        offered = prices.quote.ask if order.side is Side.BUY else prices.quote.bid
        if ticket.kind is Kind.LIMIT and ticket.price is not None:
            if (offered - ticket.price) * order.side.sign > 0:
                return None
            return ticket.price if order.is_resting else offered
        base = prices.mark or offered
        is_far = (offered - base) * order.side.sign > base * prices.contract.price_guard
        return None if is_far else offered

    def _offered(self, order: Order) -> Decimal | None:
        quote = self._floor.prices[order.instrument].quote
        if quote is None or not self._floor.rules.limited_by_size:
            return None
        return quote.ask_size if order.side is Side.BUY else quote.bid_size

    def fill(
        self,
        order: Order,
        quantity: Decimal,
        price: Decimal,
        *,
        is_maker: bool = False,
        kind: ExecutionKind = ExecutionKind.TRADE,
    ) -> Order:
        """Book one execution of an order, whatever the market says."""
        floor, books = self._floor, self._floor.accounts[order.account]
        contract = floor.contract(order.instrument)
        signed = quantity * order.side.sign
        before, after, earned = books.trade(contract, order.index, signed, price, floor.now)
        closed = min(quantity, abs(before.quantity)) if before.direction == -order.side.sign else ZERO
        rate = _fee_rate(contract.maker_fee if is_maker else contract.taker_fee, kind)
        value = contract.value(quantity, price)
        earned, fee = money(earned), money(value * rate)
        filled = replace(
            order,
            filled=order.filled + quantity,
            filled_value=order.filled_value + quantity * price,
            fees=order.fees + fee,
            realised=order.realised + earned,
        )
        execution = self._execution(filled, quantity, price, is_maker=is_maker, kind=kind)
        execution = replace(execution, realised=earned, fee=fee, fee_rate=rate, closed=closed)
        amount = books.book(execution, floor.ids.uuid())
        done = filled.ticket.quantity is not None and filled.filled >= filled.ticket.quantity
        status = Status.FILLED if done else Status.PARTIALLY_FILLED
        filled = floor.record(replace(filled, status=status, updated_at=floor.now))
        floor.tell_execution(execution, filled)
        floor.tell_order(EventKind.FILLED, filled)
        floor.tell_position(order.account, order.instrument, order.index, "trade")
        floor.tell_wallet(order.account, amount, "trade")
        self._follow_up(filled, before, after, quantity - closed)
        return filled

    def _execution(
        self, order: Order, quantity: Decimal, price: Decimal, *, is_maker: bool, kind: ExecutionKind
    ) -> Execution:
        """Of an order as it is after it; what it cost and earned is still to be said."""
        floor = self._floor
        return Execution(
            id=floor.ids.uuid(),
            number=floor.execution_number(),
            account=order.account,
            instrument=order.instrument,
            index=order.index,
            side=order.side,
            kind=kind,
            quantity=quantity,
            price=price,
            value=floor.contract(order.instrument).value(quantity, price),
            fee=ZERO,
            fee_rate=ZERO,
            is_maker=is_maker,
            order_id=order.id,
            link_id=order.ticket.link_id,
            order_number=order.number,
            order_kind=order.ticket.kind,
            order_quantity=order.ticket.quantity or quantity,
            order_price=order.ticket.price or ZERO,
            remaining=order.remaining,
            role=order.role,
            mark=floor.mark(order.instrument),
            at=floor.now,
            seq=floor.next_seq(),
        )

    def _follow_up(self, order: Order, before: Position, after: Position, opened: Decimal) -> None:
        """What a change of the position does to orders that are about it."""
        if before.quantity and before.direction != after.direction:
            self.end_stops(order.account, order.instrument, order.index, Ended.POSITION_GONE)
        if not after.quantity:
            self._end_reducers(order)
        if opened > ZERO:
            for told in self.on_opened:
                told(order, opened)

    def end_stops(self, account: str, instrument: str, index: int, ended: Ended) -> None:
        """A position's own stops go with it."""
        for order in self._floor.unfinished_of(account, instrument):
            if order.role in OF_POSITION and order.index == index and not order.is_finished:
                self.finish(order, ended)

    def _end_reducers(self, cause: Order) -> None:
        """Resting orders that could only reduce have nothing left to do. A conditional one waits on, as it was told."""
        for order in self._floor.unfinished_of(cause.account, cause.instrument):
            if order.is_working and order.index == cause.index and is_reducing(order) and order.id != cause.id:
                self.finish(order, Ended.REDUCE_ONLY)

    # Ends and changes

    def finish(self, order: Order, ended: Ended, *, status: Status = Status.CANCELLED) -> Order:
        kind = EventKind.REJECTED if status is Status.REJECTED else EventKind.CANCELLED
        finished = self._become(replace(order, ended=ended), status, kind)
        self._floor.tell_position(order.account, order.instrument, order.index)
        return finished

    def amended(self, order: Order, ticket: Ticket) -> Order:
        """The order with other terms, in the same place; a changed price goes to the back of the queue."""
        is_resting = order.is_resting and ticket.price == order.ticket.price
        changed = self._become(replace(order, ticket=ticket, is_resting=is_resting), order.status, EventKind.AMENDED)
        if changed.is_conditional:
            self.watch(changed.id)
        else:
            self.look(changed.id)
        return self._floor.orders[order.id]

    def _become(self, order: Order, status: Status, kind: EventKind) -> Order:
        changed = self._floor.record(replace(order, status=status, updated_at=self._floor.now))
        self._floor.tell_order(kind, changed)
        return changed


def _fee_rate(rate: Decimal, kind: ExecutionKind) -> Decimal:
    """What nobody asked for costs nothing: a liquidation takes all there is as it is."""
    return rate if kind is ExecutionKind.TRADE else ZERO
