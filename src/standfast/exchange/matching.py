"""When an order may trade, and at what price: pure functions of one order and one quote.

A buy pays the ask, a sell gets the bid; nobody trades inside the spread. A stop looks at the price it would trade at.
"""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from standfast.exchange.assets import Quote
from standfast.exchange.orders import STOPS, Order, OrderType, Side, Terms
from standfast.exchange.rules import Rules

CENT = Decimal("0.01")
HUNDREDTH_OF_A_CENT = Decimal("0.0001")
SMALLEST_QUANTITY = Decimal("0.000000001")
HUNDRED = Decimal(100)
ONE = Decimal(1)
COLLAR_STEP = Decimal(50)


def increment(price: Decimal) -> Decimal:
    """The smallest price step (brokers/README §1.3)."""
    return CENT if price >= ONE else HUNDREDTH_OF_A_CENT


def whole_units(quantity: Decimal) -> Decimal:
    return quantity.quantize(SMALLEST_QUANTITY, rounding=ROUND_DOWN).normalize() + Decimal(0)


def far_side(side: Side, quote: Quote) -> Decimal:
    """What an order of this side trades at."""
    return quote.ask if side is Side.BUY else quote.bid


def displayed(side: Side, quote: Quote) -> Decimal:
    return quote.ask_size if side is Side.BUY else quote.bid_size


def is_beyond(side: Side, price: Decimal, stop_price: Decimal) -> bool:
    """Whether a stop of this side triggers at this price."""
    return price >= stop_price if side is Side.BUY else price <= stop_price


def trailed(order: Order, quote: Quote) -> Order:
    """The trailing stop after this quote: its mark moves only in its favour, its stop price with it."""
    if order.terms.type is not OrderType.TRAILING_STOP or order.triggered_at is not None:
        return order
    price, mark = far_side(order.side, quote), order.high_water_mark
    if mark is not None and (price >= mark if order.side is Side.BUY else price <= mark):
        return order
    return replace(order, high_water_mark=price, terms=replace(order.terms, stop_price=trail_stop(order.terms, price)))


def trail_stop(terms: Terms, mark: Decimal) -> Decimal:
    """The stop price this far behind the mark, rounded away from it to a valid price."""
    distance = terms.trail_price
    if distance is None:
        assert terms.trail_percent is not None
        distance = mark * terms.trail_percent / HUNDRED
    stop = mark + distance if terms.side is Side.BUY else mark - distance
    rounding = ROUND_CEILING if terms.side is Side.BUY else ROUND_FLOOR
    return stop.quantize(increment(stop), rounding=rounding)


def triggered(order: Order, quote: Quote, rules: Rules, now: datetime) -> Order:
    """The stop after this quote. A buy stop becomes a limit order at its collar (§1.3): a gap can leave it unfilled."""
    stop_price = order.terms.stop_price
    if order.terms.type not in STOPS or order.triggered_at is not None or stop_price is None:
        return order
    price = far_side(order.side, quote)
    if not price or not is_beyond(order.side, price, stop_price):
        return order
    is_collared = rules.collars_buy_stops and order.side is Side.BUY and order.terms.type is not OrderType.STOP_LIMIT
    return replace(order, triggered_at=now, collar_price=collar(stop_price, rules) if is_collared else None)


def collar(stop_price: Decimal, rules: Rules) -> Decimal:
    share = rules.collar_below_50 if stop_price < COLLAR_STEP else rules.collar_from_50
    limit = stop_price * (1 + share)
    return limit.quantize(increment(limit), rounding=ROUND_FLOOR)


def tradable_price(order: Order, quote: Quote) -> Decimal | None:
    """The price at which the order trades on this quote, None when it does not."""
    if order.terms.type in STOPS and order.triggered_at is None:
        return None
    price = far_side(order.side, quote)
    if not price:
        return None  # nobody there
    limit = order.collar_price if order.collar_price is not None else order.terms.limit_price
    if limit is None:
        return price
    return price if (price <= limit if order.side is Side.BUY else price >= limit) else None


def wanted(order: Order, price: Decimal) -> Decimal:
    """Quantity the order still wants at this price; a notional order never spends more than its notional."""
    if order.terms.notional is None:
        return order.remaining
    return max(Decimal(0), whole_units((order.terms.notional - order.filled_value) / price))
