"""What happens to an account without its asking: splits, liquidation, cash moved."""

from dataclasses import replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from standfast.exchange.activities import NEW_YORK, NonTradeActivity, activity_id
from standfast.exchange.assets import Quote
from standfast.exchange.contracts import SMALLEST_GAIN
from standfast.exchange.events import EventKind
from standfast.exchange.floor import Floor
from standfast.exchange.lifecycle import Lifecycle
from standfast.exchange.matching import far_side, increment, whole_units
from standfast.exchange.orders import Intent, Order, OrderClass, Side, Status, Terms, Ticket, TimeInForce
from standfast.exchange.requests import Requests

PRICE_STEP = Decimal("0.0001")


class Corporate:
    def __init__(self, floor: Floor, lifecycle: Lifecycle, requests: Requests) -> None:
        self._floor = floor
        self._lifecycle = lifecycle
        self._requests = requests
        self._planned: set[datetime] = set()

    def split(self, instrument: str, ratio: Decimal) -> None:
        """`ratio` new units for one old. The cost of a position does not change; what it is spread over does."""
        if ratio <= 0:
            raise ValueError(f"a split ratio is positive: {ratio}")
        floor = self._floor
        quote = floor.quotes.get(instrument)
        for name, account in floor.accounts.items():
            position = account.positions.get(instrument)
            if position is not None:
                old, position.quantity = position.quantity, whole_units(position.quantity * ratio)
                self._book_split(name, instrument, -old)
                self._book_split(name, instrument, position.quantity)
                floor.moved(name, instrument)
        if quote is not None:
            floor.take_quote(_split_quote(quote, ratio))
        if instrument in floor.last_closes:
            floor.last_closes[instrument] /= ratio
        self._split_orders(instrument, ratio)

    def _split_orders(self, instrument: str, ratio: Decimal) -> None:
        book, rules = self._floor.book, self._floor.rules
        for order in book.unfinished(instrument):
            if ratio < 1 and rules.reverse_split_cancels_orders:
                if not book[order.id].is_finished:
                    self._lifecycle.finish(book[order.id], Status.CANCELED)
            elif rules.split_adjusts_orders:
                self._adjust(order, ratio)

    def _book_split(self, account: str, instrument: str, quantity: Decimal) -> None:
        floor = self._floor
        floor.log(
            NonTradeActivity(
                id=activity_id(floor.now, floor.ids.uuid()),
                account=account,
                activity_type="SPLIT",
                date=floor.now.astimezone(NEW_YORK).date(),
                at=floor.now,
                instrument=instrument,
                quantity=quantity,
            )
        )

    def _adjust(self, order: Order, ratio: Decimal) -> None:
        """Members of a group keep their terms, as they did in NVDA's split (brokers/README §1.14)."""
        terms = order.terms
        if order.order_class is not OrderClass.SIMPLE or terms.time_in_force is not TimeInForce.GTC:
            return
        terms = replace(
            terms,
            quantity=None if terms.quantity is None else whole_units(terms.quantity * ratio),
            limit_price=_split_price(terms.limit_price, ratio),
            stop_price=_split_price(terms.stop_price, ratio),
            trail_price=_split_price(terms.trail_price, ratio),
        )
        mark = _split_price(order.high_water_mark, ratio)
        adjusted = replace(
            order,
            terms=terms,
            high_water_mark=mark,
            filled=whole_units(order.filled * ratio),
            updated_at=self._floor.now,
        )
        if adjusted.filled:
            adjusted = replace(adjusted, average_price=adjusted.filled_value / adjusted.filled)
        self._floor.tell(EventKind.RESTATED, self._floor.record(adjusted))

    def liquidate(self, account: str, instrument: str, price: Decimal | None) -> Order:
        """Trade the position out over the head of every rule. LookupError when there is none, or no price for it."""
        floor = self._floor
        net = floor.accounts[account].net(instrument)
        quote = floor.quotes.get(instrument)
        if not net:
            raise LookupError(f"{account} has no position in {instrument}")
        side = Side.SELL if net > 0 else Side.BUY
        if price is None and quote is not None:
            price = far_side(side, quote)
        if not price:
            raise LookupError(f"{instrument} has no quote to liquidate at")
        for resting in floor.book.unfinished_of(account, instrument):
            if not floor.book[resting.id].is_finished:
                self._lifecycle.finish(floor.book[resting.id], Status.CANCELED)
        intent = Intent.SELL_TO_CLOSE if net > 0 else Intent.BUY_TO_CLOSE
        terms = Terms(instrument=instrument, side=side, quantity=abs(net))
        order = self._requests.enter(account, Ticket(terms=terms), intent, Status.PENDING_NEW)
        return self.fill_now(order.id, abs(net), price)

    def plan_liquidation(self) -> None:
        """Put today's liquidation of expiring options on the agenda, where the rules want one."""
        floor, at = self._floor, self._floor.rules.liquidates_expiring_at
        if at is None:
            return
        today = floor.now.astimezone(NEW_YORK).date()
        moment = datetime.combine(today, at, NEW_YORK).astimezone(floor.now.tzinfo)

        def liquidate() -> None:
            if floor.rules.liquidates_expiring_at == at:  # the rules may have changed since
                self._liquidate_expiring(today)

        if moment > floor.now and moment not in self._planned:
            self._planned.add(moment)
            floor.agenda.put(moment, liquidate)

    def _liquidate_expiring(self, today: date) -> None:
        """Close what the account would have to take or give shares for at the end of the day."""
        floor = self._floor
        for name, books in floor.accounts.items():
            for instrument in sorted(books.positions):
                contract = floor.assets[instrument].contract
                if contract is None or contract.is_cash_settled or contract.expiry != today:
                    continue
                spot, quote = floor.spot(contract.underlying, today), floor.quotes.get(instrument)
                side = Side.SELL if books.net(instrument) > 0 else Side.BUY
                is_priced = quote is not None and bool(far_side(side, quote))
                if is_priced and spot is not None and contract.intrinsic(spot) >= SMALLEST_GAIN:
                    self.liquidate(name, instrument, None)

    def fill_now(self, order_id: str, quantity: Decimal, price: Decimal) -> Order:
        floor, lifecycle = self._floor, self._lifecycle
        order = floor.book[order_id]
        if order.is_finished or (order.parent_id is not None and order.live_at is None):
            raise ValueError(f"order {order_id} is {order.status.value} and cannot fill")
        if order.live_at is None:
            order = lifecycle.mark_live(order)
        if quantity <= 0 or (order.terms.quantity is not None and quantity > order.remaining):
            raise ValueError(f"order {order_id} has {order.remaining} left, not {quantity}")
        return lifecycle.fill(order, quantity, price)

    def reject(self, order_id: str) -> Order:
        order = self._floor.book[order_id]
        if order.is_finished:
            raise ValueError(f"order {order_id} is {order.status.value}")
        return self._lifecycle.finish(order, Status.REJECTED)

    def expire(self, order_id: str) -> Order:
        order = self._floor.book[order_id]
        if order.is_finished:
            raise ValueError(f"order {order_id} is {order.status.value}")
        return self._lifecycle.finish(order, Status.EXPIRED)

    def move_cash(self, account: str, amount: Decimal, activity_type: str) -> None:
        floor = self._floor
        floor.book_cash(
            NonTradeActivity(
                id=activity_id(floor.now, floor.ids.uuid()),
                account=account,
                activity_type=activity_type,
                date=floor.now.astimezone(NEW_YORK).date(),
                at=floor.now,
                net_amount=amount,
            )
        )


def _split_price(price: Decimal | None, ratio: Decimal) -> Decimal | None:
    if price is None:
        return None
    new = price / ratio
    return new.quantize(increment(new), rounding=ROUND_HALF_UP)


def _split_quote(quote: Quote, ratio: Decimal) -> Quote:
    def price(old: Decimal) -> Decimal:
        return (old / ratio).quantize(PRICE_STEP, rounding=ROUND_HALF_UP)

    def size(old: Decimal) -> Decimal:
        return whole_units(old * ratio)

    sizes = size(quote.bid_size), size(quote.ask_size)
    return Quote(quote.instrument, price(quote.bid), price(quote.ask), *sizes, quote.at)
