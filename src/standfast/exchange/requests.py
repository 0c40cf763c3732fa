"""What a client can do: submit, replace, cancel, close. Each judges first, then acts; a refusal changes nothing."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from standfast.exchange.admission import (
    admit,
    check_available,
    check_buying_power,
    check_client_id,
    check_prices,
    check_stop_side,
    is_fractional,
    unit_cost,
)
from standfast.exchange.admission_options import check_power, is_option, unit_reserve
from standfast.exchange.agenda import Deed
from standfast.exchange.events import EventKind
from standfast.exchange.floor import Floor
from standfast.exchange.groups import EXIT, child_terms
from standfast.exchange.hours import Hours
from standfast.exchange.lifecycle import Lifecycle
from standfast.exchange.matching import far_side, trail_stop, whole_units
from standfast.exchange.orders import (
    REPLACEABLE,
    ZERO,
    Change,
    Intent,
    Leg,
    Order,
    OrderClass,
    OrderType,
    Side,
    Status,
    Terms,
    Ticket,
    TimeInForce,
)
from standfast.exchange.queries import Cancelled, Closed, Portion
from standfast.exchange.refusal import Refused, bad_parameter, not_found

NONE = timedelta(0)
HUNDRED = Decimal(100)


class Requests:
    def __init__(self, floor: Floor, lifecycle: Lifecycle, hours: Hours) -> None:
        self._floor = floor
        self._lifecycle = lifecycle
        self._hours = hours

    def find(self, account: str, order_id: str) -> Order:
        order = self._floor.book.get(order_id)
        if order is None or order.account != account:
            raise not_found(f"order not found for {order_id}")
        return order

    # Submit

    def submit(self, account: str, ticket: Ticket) -> Order:
        ticket = _with_oco_price(ticket)
        return self.take(account, ticket, self.judge(account, ticket))

    def judge(self, account: str, ticket: Ticket) -> Intent:
        """Refused if it cannot be taken; else what it does to the position."""
        intent = admit(self._floor, account, ticket)
        self._hours.check(ticket.terms)
        return intent

    def take(self, account: str, ticket: Ticket, intent: Intent) -> Order:
        """Take an admitted ticket to the market, now or at the open; returns the acknowledgement."""
        names = [leg.instrument for leg in ticket.legs] or [ticket.terms.instrument]
        waits = not all(map(self._floor.trades, names)) and not ticket.terms.extended_hours
        order = self.enter(account, ticket, intent, Status.ACCEPTED if waits else Status.PENDING_NEW)
        if not waits:
            self._after(self._floor.rules.accept_after, lambda: self._lifecycle.go_live(order.id))
        return order

    def enter(self, account: str, ticket: Ticket, intent: Intent, status: Status) -> Order:
        """Record the ticket's order and its children."""
        floor = self._floor
        order = self._new_order(account, ticket.terms, ticket.client_order_id, ticket.order_class, status, intent)
        children = [self._child(order, terms) for terms in child_terms(ticket)]
        children += [self._leg(order, leg) for leg in ticket.legs]
        order = replace(order, leg_ids=tuple(child.id for child in children), tag=ticket.tag)
        self._reserve(order, ticket)
        floor.record(order)
        floor.tell(EventKind(status.value), order)
        self._hours.watch_expiry(order)
        for child in children:
            floor.tell(EventKind(child.status.value), floor.record(child))
            if not child.is_leg:
                self._hours.watch_expiry(child)
        return order

    def _new_order(
        self,
        account: str,
        terms: Terms,
        client_order_id: str | None,
        order_class: OrderClass,
        status: Status,
        intent: Intent,
    ) -> Order:
        floor = self._floor
        mark = None
        if terms.type is OrderType.TRAILING_STOP and (quote := floor.quotes.get(terms.instrument)) is not None:
            mark = far_side(terms.side, quote)
            terms = replace(terms, stop_price=trail_stop(terms, mark))
        return Order(
            id=floor.ids.uuid(),
            client_order_id=client_order_id or floor.ids.uuid(),
            account=account,
            terms=terms,
            order_class=order_class,
            intent=intent,
            status=status,
            created_at=floor.now,
            updated_at=floor.now,
            submitted_at=floor.now,
            expires_at=self._hours.expiry(terms),
            number=floor.ids.number(),
            high_water_mark=mark,
        )

    def _child(self, parent: Order, terms: Terms) -> Order:
        child = self._new_order(parent.account, terms, None, parent.order_class, Status.HELD, EXIT[terms.side])
        return replace(child, parent_id=parent.id)

    def _leg(self, whole: Order, leg: Leg) -> Order:
        assert whole.terms.quantity is not None
        terms = replace(
            whole.terms,
            instrument=leg.instrument,
            side=leg.intent.side,
            quantity=whole.terms.quantity * leg.ratio,
            type=OrderType.MARKET,
            limit_price=None,
        )
        made = self._new_order(whole.account, terms, None, OrderClass.MULTILEG, whole.status, leg.intent)
        return replace(made, parent_id=whole.id, ratio=leg.ratio, tag=whole.tag)

    def reject(self, account: str, ticket: Ticket, reason: str) -> Order:
        """Take an order to the record only, as rejected: some brokers accept first and judge afterwards."""
        floor = self._floor
        intent = ticket.intent or Intent.BUY_TO_OPEN
        order = self._new_order(account, ticket.terms, None, ticket.order_class, Status.PENDING_NEW, intent)
        legs = [self._leg(order, leg) for leg in ticket.legs]
        order = replace(order, leg_ids=tuple(leg.id for leg in legs), tag=ticket.tag, reason=reason)
        for each in (order, *legs):
            floor.tell(EventKind.PENDING_NEW, floor.record(each))
        return self._lifecycle.finish(order, Status.REJECTED)

    def _after(self, delay: timedelta, deed: Deed) -> None:
        if delay > NONE:
            self._floor.agenda.put(self._floor.now + delay, deed)
        else:
            deed()

    # Replace

    def replace(self, account: str, order_id: str, change: Change) -> Order:
        old = self.find(account, order_id)
        terms, total = self._judge_change(old, change)
        floor, lifecycle = self._floor, self._lifecycle
        new = self._new_order(account, terms, change.client_order_id, old.order_class, Status.PENDING_NEW, old.intent)
        new = replace(new, replaces=old.id)  # it joins the old one's group when it takes its place
        if old.terms.type is OrderType.TRAILING_STOP and old.high_water_mark is not None:
            kept = replace(terms, stop_price=trail_stop(terms, old.high_water_mark))
            new = replace(new, terms=kept, high_water_mark=old.high_water_mark)
        self._reserve(replace(new, parent_id=old.parent_id), self._as_ticket(old, terms))
        if floor.rules.replace_after > NONE:
            floor.become(old, Status.PENDING_REPLACE, EventKind.PENDING_REPLACE)
        floor.tell(EventKind.PENDING_NEW, floor.record(new))
        self._hours.watch_expiry(new)
        self._after(floor.rules.replace_after, lambda: lifecycle.complete_replace(old.id, new.id, total))
        return new

    def _judge_change(self, old: Order, change: Change) -> tuple[Terms, Decimal]:
        """The new order's terms, and the total quantity including what the old one has filled."""
        floor = self._floor
        if old.status not in REPLACEABLE and not (old.status is Status.HELD and old.is_live):
            raise bad_parameter(f'cannot replace order in "{old.status.value}" state')
        check_client_id(floor, old.account, change.client_order_id)
        if old.terms.quantity is None or is_fractional(old.terms):
            raise bad_parameter("fractional and notional orders cannot be replaced")
        total = old.terms.quantity if change.quantity is None else change.quantity
        self._judge_quantity(old, total)
        terms = replace(_changed(old, change), quantity=total - old.filled)
        if terms.type is not OrderType.TRAILING_STOP and not old.is_multileg:
            check_prices(terms)
            if terms.stop_price != old.terms.stop_price:
                check_stop_side(floor, terms)
        if not old.intent.opens and old.order_class is OrderClass.SIMPLE:  # a group's quantity cannot change
            check_available(floor, old.account, terms, without=old.id)
        self._check_money(old, terms)
        return terms, total

    def _check_money(self, old: Order, terms: Terms) -> None:
        """Whether there is enough for the new terms, once the old ones give back what they hold."""
        floor = self._floor
        freed = floor.accounts[old.account].reserved_for(old.id)
        if self._is_optional(old):
            own = freed / floor.accounts[old.account].spec.multiplier
            check_power(floor, old.account, self._as_ticket(old, terms), freed=own)
        elif old.intent.opens:
            check_buying_power(floor, old.account, terms, freed=freed)

    def _reserve(self, order: Order, ticket: Ticket) -> None:
        floor = self._floor
        if self._is_optional(order):
            floor.reserve_for(order.id, unit_reserve(floor, order, ticket))
        elif order.intent.opens and order.parent_id is None:
            floor.reserve_for(order.id, unit_cost(floor, ticket.terms))

    def _is_optional(self, order: Order) -> bool:
        return order.is_multileg or is_option(self._floor.find_asset(order.instrument))

    def _as_ticket(self, order: Order, terms: Terms) -> Ticket:
        """What a standing order would be asked for as, with these terms."""
        legs = [self._floor.book[leg_id] for leg_id in order.leg_ids] if order.is_multileg else []
        return Ticket(
            terms=terms,
            order_class=order.order_class,
            intent=order.intent,
            legs=tuple(Leg(instrument=leg.instrument, intent=leg.intent, ratio=leg.ratio) for leg in legs),
        )

    @staticmethod
    def _judge_quantity(old: Order, total: Decimal) -> None:
        if total != old.terms.quantity and old.order_class is not OrderClass.SIMPLE:
            raise bad_parameter("qty cannot be changed for advanced orders")
        if total % 1:
            raise bad_parameter("fractional qty cannot be used in a replace")
        if total <= old.filled:
            raise bad_parameter("qty must be greater than the filled qty")

    def amend(self, account: str, order_id: str, change: Change) -> Order:
        """Change prices and duration of an order where it stands, as brokers do that keep its id."""
        floor, old = self._floor, self.find(account, order_id)
        if old.is_finished or old.is_leg or old.status in (Status.PENDING_CANCEL, Status.PENDING_REPLACE):
            raise bad_parameter(f'cannot replace order in "{old.status.value}" state')
        if change.quantity is not None:
            raise bad_parameter("qty cannot be changed")
        terms = _changed(old, change)
        if not old.is_multileg:
            check_prices(terms)
            if terms.stop_price != old.terms.stop_price:
                check_stop_side(floor, terms)
        left = replace(terms, quantity=old.remaining)
        self._check_money(old, left)
        if old.parent_id is None:
            self._reserve(old, self._as_ticket(old, left))
        amended = floor.record(replace(old, terms=terms, updated_at=floor.now, expires_at=self._hours.expiry(terms)))
        floor.tell(EventKind.RESTATED, amended)
        self._hours.watch_expiry(amended)
        self._lifecycle.look(order_id)
        return floor.book[order_id]

    # Cancel

    def cancel(self, account: str, order_id: str) -> None:
        floor, order = self._floor, self.find(account, order_id)
        is_on_its_way = order.replaces is not None and order.live_at is None
        if order.is_finished or is_on_its_way or order.status is Status.PENDING_REPLACE:
            raise bad_parameter(f'order is already in "{order.status.value}" state')
        if order.status is Status.PENDING_CANCEL:
            return
        is_waiting = not self._hours.is_open_for(order) and floor.rules.cancels_wait_for_open
        waits_for_open = order.is_live and is_waiting
        if not waits_for_open and (floor.rules.cancel_after <= NONE or order.live_at is None):
            self._lifecycle.complete_cancel(order_id)
            return
        asked = replace(order, cancel_requested_at=floor.now)
        floor.become(asked, Status.PENDING_CANCEL, EventKind.PENDING_CANCEL)
        if not waits_for_open:
            floor.agenda.put(floor.now + floor.rules.cancel_after, lambda: self._lifecycle.complete_cancel(order_id))

    def cancel_all(self, account: str) -> list[Cancelled]:
        """One row per order that was unfinished at the call, whether it was ended itself or with its group."""
        rows: list[Cancelled] = []
        for order in self._floor.book.unfinished_in(account):
            refused = None
            if not self._floor.book[order.id].is_finished:
                try:
                    self.cancel(account, order.id)
                except Refused as error:
                    refused = error
            rows.append(
                Cancelled(order_id=order.id, http_status=refused.http_status if refused else 200, refused=refused)
            )
        return rows

    # Close

    def close(self, account: str, instrument: str, portion: Portion) -> Order:
        net = self._floor.accounts[account].net(instrument)
        if not net:
            raise not_found("position does not exist")
        side = Side.SELL if net > 0 else Side.BUY
        quantity = _portion_of(abs(net), portion, is_fractionable=self._floor.assets[instrument].fractionable)
        return self.submit(account, Ticket(terms=Terms(instrument=instrument, side=side, quantity=quantity)))

    def close_all(self, account: str, *, cancel_orders: bool) -> list[Closed]:
        if cancel_orders:
            self.cancel_all(account)
        rows: list[Closed] = []
        for instrument in sorted(self._floor.accounts[account].positions):
            try:
                order = self.close(account, instrument, Portion(percentage=HUNDRED))
                rows.append(Closed(instrument=instrument, http_status=200, order=order))
            except Refused as error:
                rows.append(Closed(instrument=instrument, http_status=error.http_status, refused=error))
        return rows


def _with_oco_price(ticket: Ticket) -> Ticket:
    """An OCO's limit price may come as `take_profit`: the parent is the take-profit."""
    if ticket.order_class is not OrderClass.OCO or ticket.take_profit is None:
        return ticket
    if ticket.terms.limit_price is not None:
        return ticket
    return replace(ticket, terms=replace(ticket.terms, limit_price=ticket.take_profit.limit_price))


def _changed(old: Order, change: Change) -> Terms:
    terms = old.terms
    if terms.type is OrderType.TRAILING_STOP:
        if change.limit_price is not None or change.stop_price is not None:
            raise bad_parameter("only trail can be changed for trailing stop orders")
        if change.trail is not None:
            if change.trail <= ZERO:
                raise bad_parameter("trail must be > 0")
            name = "trail_price" if terms.trail_price is not None else "trail_percent"
            terms = replace(terms, **{name: change.trail})  # type: ignore[arg-type]  # both are Decimal fields
    elif change.trail is not None:
        raise bad_parameter("trail can only be changed for trailing stop orders")
    lasts = change.time_in_force or terms.time_in_force
    if lasts is not terms.time_in_force and lasts not in (TimeInForce.DAY, TimeInForce.GTC):
        raise bad_parameter(f"time_in_force cannot be changed to {lasts.value}")
    return replace(
        terms,
        type=change.type or terms.type,
        time_in_force=lasts,
        limit_price=terms.limit_price if change.limit_price is None else change.limit_price,
        stop_price=terms.stop_price if change.stop_price is None else change.stop_price,
    )


def _portion_of(whole: Decimal, portion: Portion, *, is_fractionable: bool) -> Decimal:
    """The quantity to close, rounded down to what can be traded: closing by percentage may leave dust."""
    if (portion.quantity is None) == (portion.percentage is None):
        raise bad_parameter("exactly one of qty and percentage is required")
    if portion.quantity is not None:
        return portion.quantity
    assert portion.percentage is not None
    if not ZERO < portion.percentage <= HUNDRED:
        raise bad_parameter("percentage must be between 0 and 100")
    quantity = whole_units(whole * portion.percentage / HUNDRED)
    return quantity if is_fractionable or portion.percentage == HUNDRED else quantity // 1
