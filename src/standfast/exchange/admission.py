"""May this order be taken? The first reason against it is raised as `Refused`; nothing is changed here.

In Alpaca's order: the client id, the asset, the form of the request, prices, what is held, other orders, money.
"""

from decimal import Decimal

from standfast.exchange.admission_options import admit_multileg, check_option, check_power
from standfast.exchange.assets import Asset
from standfast.exchange.floor import Floor
from standfast.exchange.groups import child_terms, holds
from standfast.exchange.matching import CENT, SMALLEST_QUANTITY, collar, far_side, increment, is_beyond
from standfast.exchange.orders import (
    STOPS,
    ZERO,
    Intent,
    Order,
    OrderClass,
    OrderType,
    Side,
    Terms,
    Ticket,
    TimeInForce,
)
from standfast.exchange.refusal import Cause, Refused, bad_client_id, bad_parameter, not_allowed

CLIENT_ID_LENGTH_MAX = 128
COMPLEX = frozenset({OrderClass.BRACKET, OrderClass.OCO, OrderClass.OTO, OrderClass.MULTILEG})
LASTING = frozenset({TimeInForce.DAY, TimeInForce.GTC})


def admit(floor: Floor, account: str, ticket: Ticket) -> Intent:
    """Judge a ticket; returns what it does to the position."""
    check_client_id(floor, account, ticket.client_order_id)
    terms = ticket.terms
    if ticket.order_class is OrderClass.MULTILEG:
        return admit_multileg(floor, account, ticket)
    asset = floor.find_asset(terms.instrument)
    if asset is None:
        raise bad_parameter(f'asset "{terms.instrument}" not found')
    if not asset.tradable:
        raise bad_parameter(f'asset "{terms.instrument}" is not tradable')
    check_amount(terms, asset)
    check_prices(terms)
    check_time_in_force(floor, terms)
    check_class(floor, ticket)
    check_stop_side(floor, terms)
    if asset.contract is not None:
        return check_option(floor, account, ticket, asset.contract)
    intent = check_position(floor, account, ticket, asset)
    check_wash_trade(floor, account, ticket)
    if intent.opens:
        check_buying_power(floor, account, terms)
    elif floor.accounts[account].options and terms.quantity is not None:
        check_power(floor, account, ticket)  # the shares may cover calls
    return intent


def check_client_id(floor: Floor, account: str, client_order_id: str | None) -> None:
    """Unique for ever, in every state of the first order (§1.8)."""
    if client_order_id is None:
        return
    if len(client_order_id) > CLIENT_ID_LENGTH_MAX:
        raise bad_client_id(f"client_order_id must be no more than {CLIENT_ID_LENGTH_MAX} characters")
    if floor.book.by_client_id(account, client_order_id) is not None:
        raise bad_client_id("client_order_id must be unique")


# The form of the request


def check_amount(terms: Terms, asset: Asset) -> None:
    amount = terms.quantity if terms.quantity is not None else terms.notional
    if amount is None or (terms.quantity is not None and terms.notional is not None):
        raise bad_parameter("exactly one of qty and notional is required")
    if amount <= ZERO:
        raise bad_parameter("qty must be > 0" if terms.notional is None else "notional must be > 0")
    if terms.quantity is not None and terms.quantity % SMALLEST_QUANTITY:
        raise bad_parameter("qty increment must be no finer than 9 decimals")
    if terms.notional is not None and terms.notional % CENT:
        raise bad_parameter("notional value must be limited to 2 decimal places")
    if is_fractional(terms) and not asset.fractionable:
        raise not_allowed(f'asset "{asset.instrument}" is not fractionable')


def is_fractional(terms: Terms) -> bool:
    return terms.quantity is None or terms.quantity % 1 != 0


NEEDS_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
NEEDS_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def check_prices(terms: Terms) -> None:
    kind = terms.type.value
    if (terms.limit_price is not None) != (terms.type in NEEDS_LIMIT):
        raise bad_parameter(f"{kind} orders {'require' if terms.limit_price is None else 'must not have'} limit_price")
    if (terms.stop_price is not None) != (terms.type in NEEDS_STOP):
        raise bad_parameter(f"{kind} orders {'require' if terms.stop_price is None else 'must not have'} stop_price")
    trails = [trail for trail in (terms.trail_price, terms.trail_percent) if trail is not None]
    if len(trails) != (1 if terms.type is OrderType.TRAILING_STOP else 0):
        raise bad_parameter("one of trail_price and trail_percent is required, for trailing stop orders only")
    if any(trail <= ZERO for trail in trails):
        raise bad_parameter("trail must be > 0")
    check_increment("limit_price", terms.limit_price)
    check_increment("stop_price", terms.stop_price)


def check_increment(name: str, price: Decimal | None) -> None:
    if price is None:
        return
    if price <= ZERO:
        raise bad_parameter(f"{name} must be > 0")
    if price % increment(price):
        raise bad_parameter(f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria")


def check_time_in_force(floor: Floor, terms: Terms) -> None:
    lasts = terms.time_in_force
    if is_fractional(terms) and lasts is not TimeInForce.DAY and not floor.rules.fractional_gtc:
        raise bad_parameter("fractional orders must be DAY orders")
    if terms.notional is not None and terms.type is not OrderType.MARKET:
        raise bad_parameter("notional orders must be market orders")
    if terms.extended_hours and (terms.type is not OrderType.LIMIT or lasts not in LASTING):
        raise bad_parameter("extended hours order must be DAY or GTC limit orders")
    if terms.type in STOPS and lasts not in LASTING:
        raise bad_parameter(f"invalid time_in_force {lasts.value} for {terms.type.value} orders")


def check_class(floor: Floor, ticket: Ticket) -> None:
    if ticket.order_class is OrderClass.SIMPLE:
        if ticket.take_profit is not None or ticket.stop_loss is not None:
            raise bad_parameter("simple orders must not have take_profit or stop_loss")
        return
    name, terms = ticket.order_class.value, ticket.terms
    legs = [leg for leg in (ticket.take_profit, ticket.stop_loss) if leg is not None]
    if ticket.order_class is OrderClass.OTO and len(legs) != 1:
        raise bad_parameter("oto orders require exactly one of take_profit and stop_loss")
    if ticket.order_class is OrderClass.BRACKET and len(legs) != 2:
        raise bad_parameter("bracket orders require take_profit.limit_price and stop_loss.stop_price")
    if ticket.order_class is OrderClass.OCO and (ticket.stop_loss is None or terms.type is not OrderType.LIMIT):
        raise bad_parameter("oco orders require a limit order and stop_loss.stop_price")
    if terms.time_in_force not in LASTING or terms.extended_hours or terms.type is OrderType.TRAILING_STOP:
        raise bad_parameter(f"{name} orders must be DAY or GTC in regular hours, and not trailing")
    if is_fractional(terms):
        raise bad_parameter("fractional orders must be simple orders")
    _check_leg_prices(floor, ticket)


def _check_leg_prices(floor: Floor, ticket: Ticket) -> None:
    """Each exit lies at least a cent on its own side of the base price: the entry's, or the market's."""
    for terms in child_terms(ticket):
        check_prices(terms)
    stop = None if ticket.stop_loss is None else ticket.stop_loss.stop_price
    profit = None if ticket.take_profit is None else ticket.take_profit.limit_price
    if ticket.order_class is OrderClass.OCO:
        profit = ticket.terms.limit_price
    exit_side = ticket.terms.side if ticket.order_class is OrderClass.OCO else ticket.terms.side.opposite
    sign = exit_side.opposite.sign  # of the position: a long's profit lies above
    if stop is not None and profit is not None and (profit - stop) * sign < CENT:
        relation = "must be > " if sign > 0 else "must be < "
        raise bad_parameter(f"take_profit.limit_price {relation}stop_loss.stop_price")
    base = _base_price(floor, ticket)
    if base is None:
        return
    if profit is not None and ticket.order_class is not OrderClass.OCO and (profit - base) * sign < CENT:
        bound = ">= base_price + 0.01" if sign > 0 else "<= base_price - 0.01"
        raise bad_parameter(f"take_profit.limit_price must be {bound}", base_price=str(base))
    if stop is not None and (base - stop) * sign < CENT:
        bound = "<= base_price - 0.01" if sign > 0 else ">= base_price + 0.01"
        raise bad_parameter(f"stop_loss.stop_price must be {bound}", base_price=str(base))


def _base_price(floor: Floor, ticket: Ticket) -> Decimal | None:
    terms = ticket.terms
    if ticket.order_class is not OrderClass.OCO:
        entry = terms.limit_price if terms.limit_price is not None else terms.stop_price
        if entry is not None:
            return entry
    quote = floor.quotes.get(terms.instrument)
    return None if quote is None else far_side(terms.side, quote)


def check_stop_side(floor: Floor, terms: Terms) -> None:
    """A stop that the market has passed already would trigger at once."""
    quote = floor.quotes.get(terms.instrument)
    if terms.stop_price is None or quote is None or not floor.rules.refuses_stop_beyond_market:
        return
    if is_beyond(terms.side, far_side(terms.side, quote), terms.stop_price):
        relation = "less" if terms.side is Side.SELL else "greater"
        raise bad_parameter(f"stop price must be {relation} than current price", stop_price=str(terms.stop_price))


# The account


def check_position(floor: Floor, account: str, ticket: Ticket, asset: Asset) -> Intent:
    """What the order does to the position; refuses to sell or cover more than is free (§1.9 "held", "no flip")."""
    terms = ticket.terms
    net = floor.accounts[account].net(terms.instrument)
    _check_intent(ticket, closes=net * terms.side.sign < 0)
    if net * terms.side.sign < 0:
        if ticket.order_class in (OrderClass.BRACKET, OrderClass.OTO):
            raise bad_parameter(f"{ticket.order_class.value} orders must be entry orders")
        check_available(floor, account, terms)
        return Intent.SELL_TO_CLOSE if terms.side is Side.SELL else Intent.BUY_TO_CLOSE
    if ticket.order_class is OrderClass.OCO:
        raise bad_parameter("oco orders must be exit orders")
    if terms.side is Side.BUY:
        return Intent.BUY_TO_OPEN
    _check_short(floor, account, terms, asset)
    return Intent.SELL_TO_OPEN


def _check_intent(ticket: Ticket, *, closes: bool) -> None:
    """What the client means to do must be what the order would do."""
    inferred = Intent(f"{ticket.terms.side.value}_to_{'close' if closes else 'open'}")
    if ticket.intent is not None and ticket.intent is not inferred:
        raise bad_parameter(
            f"position intent mismatch, inferred: {inferred.value}, specified: {ticket.intent.value}", cause=Cause.HELD
        )


def check_available(floor: Floor, account: str, terms: Terms, *, without: str | None = None) -> None:
    """`without`: an order whose own hold does not count, because this one takes its place."""
    held = floor.held(account, terms.instrument, without=without)
    available = abs(floor.accounts[account].net(terms.instrument)) - held
    if (_quantity(floor, terms) or ZERO) > available:
        raise insufficient(floor, account, terms, held)


def insufficient(floor: Floor, account: str, terms: Terms, held: Decimal) -> Refused:
    existing = abs(floor.accounts[account].net(terms.instrument))
    available, requested = existing - held, _quantity(floor, terms)
    details: dict[str, str | list[str]] = {
        "symbol": terms.instrument,
        "available": _text(available),
        "existing_qty": _text(existing),
        "held_for_orders": _text(held),
    }
    resting = floor.book.unfinished_of(account, terms.instrument)
    blockers = [order.id for order in resting if order.side is terms.side and holds(order)]
    if blockers and held:
        details["related_orders"] = blockers
    shown = _text(requested or ZERO)
    return not_allowed(
        f"insufficient qty available for order (requested: {shown}, available: {_text(available)})",
        cause=Cause.HELD,
        **details,
    )


def _check_short(floor: Floor, account: str, terms: Terms, asset: Asset) -> None:
    spec = floor.accounts[account].spec
    if not spec.shorting_enabled or spec.multiplier < 2:
        raise not_allowed("account is not allowed to short")
    if not asset.shortable:
        raise bad_parameter(f'asset "{terms.instrument}" cannot be sold short')
    if is_fractional(terms):
        raise bad_parameter("fractional orders cannot be sold short")


def check_wash_trade(floor: Floor, account: str, ticket: Ticket) -> None:
    """An order that could trade with one of the account's own (§1.9). Groups and trailing stops are exempt."""
    if not floor.rules.refuses_wash_trades or _is_exempt(ticket.terms, ticket.order_class):
        return
    for order in floor.book.unfinished_of(account, ticket.terms.instrument):
        if order.side is ticket.terms.side or _is_exempt(order.terms, order.order_class):
            continue
        reason = _could_cross(ticket.terms, order)
        if reason is not None:
            raise not_allowed(
                "potential wash trade detected. use complex orders",
                existing_order_id=order.id,
                reject_reason=reason,
            )


def _is_exempt(terms: Terms, order_class: OrderClass) -> bool:
    return order_class in COMPLEX or terms.type is OrderType.TRAILING_STOP


def _could_cross(terms: Terms, resting: Order) -> str | None:
    if resting.terms.type is not OrderType.LIMIT:
        return "opposite side market/stop order exists"
    if terms.type is not OrderType.LIMIT:
        return "opposite side limit order exists"
    assert terms.limit_price is not None
    assert resting.terms.limit_price is not None
    crosses = (terms.limit_price - resting.terms.limit_price) * terms.side.sign >= 0
    return "opposite side limit order exists" if crosses else None


def check_buying_power(floor: Floor, account: str, terms: Terms, *, freed: Decimal = ZERO) -> None:
    """`freed`: what an order that this one replaces gives back."""
    cost = terms.notional if terms.notional is not None else unit_cost(floor, terms) * (terms.quantity or ZERO)
    power = floor.accounts[account].buying_power + freed
    if cost > power:
        raise not_allowed(
            "insufficient buying power", cause=Cause.POWER, buying_power=_text(power), cost_basis=_text(cost)
        )


def unit_cost(floor: Floor, terms: Terms) -> Decimal:
    """What opening one unit takes at most, as far as can be known now; zero when nothing has been quoted yet."""
    quote = floor.quotes.get(terms.instrument)
    if terms.side is Side.SELL:
        market = ZERO if quote is None else quote.ask * floor.rules.short_reserve
        return max(market, terms.limit_price or ZERO)
    if terms.limit_price is not None:
        return terms.limit_price
    if terms.stop_price is not None:
        return collar(terms.stop_price, floor.rules)
    return ZERO if quote is None else quote.ask


def _quantity(floor: Floor, terms: Terms) -> Decimal | None:
    if terms.notional is None:
        return terms.quantity
    quote = floor.quotes.get(terms.instrument)
    return None if quote is None else terms.notional / far_side(terms.side, quote)


def _text(amount: Decimal) -> str:
    return format(amount.normalize() + ZERO, "f")
