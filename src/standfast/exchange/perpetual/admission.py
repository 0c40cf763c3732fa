"""Whether a request may be taken. Judges and changes nothing.

Of a conditional order only its form is judged, and that its trigger has not been passed: whether there is something to
reduce, or margin to open, is asked when it triggers.
"""

from decimal import Decimal

from standfast.exchange.orders import Side
from standfast.exchange.perpetual.books import LONG_SIDE, Books
from standfast.exchange.perpetual.contract import Perpetual, Standing
from standfast.exchange.perpetual.floor import Floor, is_reducing
from standfast.exchange.perpetual.orders import ZERO, Attached, Change, Kind, Order, PriceBy, Role, Ticket, Trigger
from standfast.exchange.perpetual.refusal import No, PerpetualRefused

LIMIT_RANGE = Decimal("0.9")  # how far above or below the mark a limit may lie, as a share of it


class Admission:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def judge(self, account: str, ticket: Ticket) -> None:
        """`PerpetualRefused` if it may not be taken."""
        floor = self._floor
        contract, books = floor.contract(ticket.instrument), floor.accounts[account]
        if contract.standing is Standing.CLOSED:
            raise PerpetualRefused(No.NOT_TRADING)
        if ticket.index not in books.setting(contract).indices:
            raise PerpetualRefused(No.MODE, "position idx not match position mode")
        self._check_id(account, ticket.link_id)
        check_form(contract, ticket.quantity, ticket.price)
        if ticket.kind is Kind.LIMIT and ticket.price is None:
            raise PerpetualRefused(No.PARAMETER, "a limit order needs a price")
        self._check_range(ticket)
        self._check_count(account, ticket)
        if ticket.trigger is not None:
            if ticket.trail is None:
                self.check_trigger(ticket.instrument, ticket.trigger)
        else:
            self._check_now(account, books, contract, ticket)
        self._check_attached(ticket)

    def judge_change(self, order: Order, change: Change) -> None:
        contract = self._floor.contract(order.instrument)
        check_form(contract, change.quantity, change.price)
        if change.quantity is not None and change.quantity <= order.filled:
            raise PerpetualRefused(No.PARAMETER, "qty is not more than what is filled")
        if change.quantity is not None and order.ticket.quantity is None:
            raise PerpetualRefused(No.PARAMETER, "the order is for whatever is held")
        if change.trigger_price is not None:
            if order.ticket.trigger is None or not order.is_conditional:
                raise PerpetualRefused(No.PARAMETER, "the order has no trigger any more")
            by = change.trigger_by or order.ticket.trigger.by
            self.check_trigger(
                order.instrument, Trigger(price=change.trigger_price, rises=order.ticket.trigger.rises, by=by)
            )

    def check_trigger(self, instrument: str, trigger: Trigger) -> None:
        now = self._floor.price(instrument, trigger.by)
        if now is None or not self._floor.rules.refuses_untimely_triggers or not trigger.is_reached(now):
            return
        if trigger.rises:
            text = f"expect Rising, but trigger_price[{trigger.price:f}] <= current[{now:f}]"
            raise PerpetualRefused(No.WOULD_TRIGGER_RISING, text)
        text = f"expect Falling, but trigger_price[{trigger.price:f}] >= current[{now:f}]"
        raise PerpetualRefused(No.WOULD_TRIGGER_FALLING, text)

    def lacks_margin(self, order: Order) -> bool:
        """Whether an order that begins to work now could open more than there is money for."""
        books = self._floor.accounts[order.account]
        return not is_reducing(order) and self._cost(books, order.ticket) > self._available(books)

    def reducible(self, account: str, ticket: Ticket) -> Decimal:
        """How much of the position the ticket's side may take away."""
        contract = self._floor.contract(ticket.instrument)
        position = self._floor.accounts[account].position(contract, ticket.index)
        return abs(position.quantity) if position.direction == -ticket.side.sign else ZERO

    def _check_id(self, account: str, link_id: str) -> None:
        taken = self._floor.by_link(account, link_id) if link_id else None
        if taken is not None and (self._floor.rules.ids_stay_taken or not taken.is_finished):
            raise PerpetualRefused(No.DUPLICATE_ID)

    def _check_range(self, ticket: Ticket) -> None:
        mark = self._floor.mark(ticket.instrument)
        if (
            ticket.price is not None
            and mark
            and not mark * (1 - LIMIT_RANGE) <= ticket.price <= mark * (1 + LIMIT_RANGE)
        ):
            raise PerpetualRefused(No.PRICE_RANGE, f"price {ticket.price:f} is too far from {mark:f}")

    def _check_count(self, account: str, ticket: Ticket) -> None:
        rules = self._floor.rules
        orders = self._floor.unfinished_of(account, ticket.instrument)
        conditional = sum(1 for order in orders if order.is_conditional and order.role is Role.STOP)
        if (ticket.trigger or ticket.trail) and conditional >= rules.conditional_max:
            raise PerpetualRefused(No.TOO_MANY_STOPS)
        if sum(1 for order in orders if order.is_working) >= rules.working_max:
            raise PerpetualRefused(No.TOO_MANY_ORDERS)

    def _check_now(self, account: str, books: Books, contract: Perpetual, ticket: Ticket) -> None:
        if contract.standing is not Standing.TRADING and not ticket.reduce_only:
            raise PerpetualRefused(No.NOT_TRADING)
        if _may_only_reduce(ticket):
            if not self.reducible(account, ticket):
                raise PerpetualRefused(No.REDUCE_ONLY, "current position is zero, cannot fix reduce-only order qty")
            return
        price = ticket.price or self._floor.mark(ticket.instrument)
        if price and contract.value(ticket.quantity or ZERO, price) < contract.least_value:
            raise PerpetualRefused(No.LEAST_VALUE)
        if self._cost(books, ticket) > self._available(books):
            raise PerpetualRefused(No.NO_MONEY)

    def _available(self, books: Books) -> Decimal:
        return self._floor.equity(books) - self._floor.bound(books)

    def _cost(self, books: Books, ticket: Ticket) -> Decimal:
        """Margin of what the order may open, and the fee on all of it."""
        contract = self._floor.contract(ticket.instrument)
        position, quantity = books.position(contract, ticket.index), ticket.quantity or ZERO
        opens = quantity - abs(position.quantity) if position.direction == -ticket.side.sign else quantity
        price = ticket.price or self._floor.mark(ticket.instrument)
        fee = contract.value(quantity, price) * contract.taker_fee
        return max(ZERO, contract.value(opens, price)) / position.leverage + fee

    def _check_attached(self, ticket: Ticket) -> None:
        """On the right side of where the position will be opened."""
        base = ticket.price or self._floor.price(ticket.instrument, PriceBy.LAST)
        for attached, is_loss in ((ticket.stop_loss, True), (ticket.take_profit, False)):
            if attached is not None and base is not None:
                check_side(attached, is_loss=is_loss, side=ticket.side, base=base)


def check_form(contract: Perpetual, quantity: Decimal | None, price: Decimal | None) -> None:
    """Steps and bounds; both may be open."""
    if quantity is not None:
        if quantity <= 0 or quantity < contract.least_quantity:
            raise PerpetualRefused(No.LEAST_QUANTITY, "The number of contracts is below the least allowed")
        if quantity > contract.most_quantity:
            raise PerpetualRefused(No.MOST_QUANTITY, "The number of contracts exceeds maximum limit allowed")
        if quantity % contract.step:
            raise PerpetualRefused(No.PRICE_STEP, "Qty invalid")
    if price is not None and (price <= 0 or price % contract.tick):
        raise PerpetualRefused(No.PRICE_STEP, "Price invalid")


def check_side(attached: Attached, *, is_loss: bool, side: Side, base: Decimal) -> None:
    """A loss is stopped below a long's price and above a short's; a profit is taken on the other side."""
    must_be_lower = is_loss == (side is Side.BUY)
    if attached.price != base and (attached.price < base) == must_be_lower:
        return
    word, than = ("StopLoss" if is_loss else "TakeProfit"), ("lower" if must_be_lower else "higher")
    of = f"{side.value.capitalize()} position should be {than} than base_price:{base:f}"
    raise PerpetualRefused(No.WRONG_STOP, f"{word}:{attached.price:f} set for {of}")


def _may_only_reduce(ticket: Ticket) -> bool:
    if ticket.reduce_only or ticket.close_on_trigger or ticket.quantity is None:
        return True
    return ticket.index != 0 and (ticket.index == LONG_SIDE) != (ticket.side is Side.BUY)
