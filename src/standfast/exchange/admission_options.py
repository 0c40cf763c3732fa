"""May this option order be taken, single or multi-leg? What `admission` does for stocks.

The order is judged by what the account would be bound to after it: its own price, and what its short options would then
have to be secured with (`collateral`). So a close that leaves a short leg bare is refused for want of buying power, as
brokers do.
"""

from datetime import date
from decimal import Decimal

from standfast.exchange.activities import NEW_YORK
from standfast.exchange.assets import INDEX, Asset
from standfast.exchange.contracts import HUNDRED, Contract
from standfast.exchange.floor import Floor
from standfast.exchange.matching import far_side
from standfast.exchange.orders import ZERO, Intent, Leg, Order, OrderType, Side, Terms, Ticket, TimeInForce
from standfast.exchange.refusal import Cause, Refused, bad_parameter, not_allowed

LEGS_MAX = 4
LASTING = frozenset({TimeInForce.DAY, TimeInForce.GTC})


def is_option(asset: Asset | None) -> bool:
    return asset is not None and asset.contract is not None


def admit_multileg(floor: Floor, account: str, ticket: Ticket) -> Intent:
    """Judge a multi-leg ticket; returns what it does on the whole: it opens if any leg does."""
    legs, terms = ticket.legs, ticket.terms
    if not 2 <= len(legs) <= LEGS_MAX:
        raise bad_parameter(f"a multi-leg order has 2 to {LEGS_MAX} legs")
    if len({leg.instrument for leg in legs}) < len(legs):
        raise bad_parameter("every leg is another instrument")
    if terms.quantity is None or terms.quantity <= ZERO or terms.quantity % 1:
        raise bad_parameter("qty must be a whole number > 0")
    if terms.type not in (OrderType.MARKET, OrderType.LIMIT) or terms.time_in_force not in LASTING:
        raise bad_parameter("multi-leg orders are market or limit orders, day or gtc")
    if (terms.limit_price is None) != (terms.type is OrderType.MARKET):
        raise bad_parameter("limit orders have a limit_price, market orders have none")
    for leg in legs:
        _check_leg(floor, account, leg, terms)
    check_power(floor, account, ticket)
    return Intent.BUY_TO_OPEN if any(leg.intent.opens for leg in legs) else Intent.BUY_TO_CLOSE


def _check_leg(floor: Floor, account: str, leg: Leg, terms: Terms) -> None:
    asset = floor.assets.get(leg.instrument)
    if asset is None:
        raise bad_parameter(f'asset "{leg.instrument}" not found')
    if asset.contract is None and asset.asset_class == INDEX:
        raise bad_parameter(f'asset "{leg.instrument}" is not tradable')
    if leg.ratio <= ZERO or leg.ratio % 1:
        raise bad_parameter("a leg's ratio is a whole number > 0")
    underlying = leg.instrument if asset.contract is None else asset.contract.underlying
    if underlying != terms.instrument:
        raise bad_parameter(f"{leg.instrument} is not of {terms.instrument}")
    if asset.contract is not None:
        check_alive(floor, asset.contract)
    assert terms.quantity is not None
    check_holding(floor, account, leg.instrument, leg.intent, terms.quantity * leg.ratio)


def check_alive(floor: Floor, contract: Contract) -> None:
    if contract.name in floor.expired or last_day(contract, floor) < floor.now.astimezone(NEW_YORK).date():
        raise bad_parameter(f"{contract.name} has expired")


def last_day(contract: Contract, floor: Floor) -> date:
    """The last day on which it trades."""
    if not contract.settles_at_open:
        return contract.expiry
    return floor.session_before(contract.expiry)


def check_holding(
    floor: Floor, account: str, instrument: str, intent: Intent, quantity: Decimal, *, without: str | None = None
) -> None:
    """An option order says whether it opens or closes, and is held to it. `without`: an order that does not count."""
    net = floor.accounts[account].net(instrument)
    against = net * intent.side.sign < 0
    if intent.opens and against:
        raise not_allowed(f"{instrument}: {intent.value} against a position of {net}", cause=Cause.HELD)
    if intent.opens:
        return
    free = abs(net) - floor.held(account, instrument, without=without) if against else ZERO
    if quantity > free:
        raise not_allowed(
            f"insufficient qty available for order (requested: {quantity}, available: {free})", cause=Cause.HELD
        )


def check_option(floor: Floor, account: str, ticket: Ticket, contract: Contract) -> Intent:
    """Judge an order in one contract. Without an intent it closes what is held against it, else it opens."""
    terms = ticket.terms
    check_alive(floor, contract)
    if terms.quantity is None or terms.quantity % 1:
        raise bad_parameter("options trade in whole contracts")
    if terms.extended_hours:
        raise bad_parameter("options trade in regular hours only")
    net = floor.accounts[account].net(terms.instrument)
    closes = net * terms.side.sign < 0
    intent = ticket.intent or Intent(f"{terms.side.value}_to_{'close' if closes else 'open'}")
    if intent.side is not terms.side:
        raise bad_parameter(f"{intent.value} is no {terms.side.value}")
    check_holding(floor, account, terms.instrument, intent, terms.quantity)
    check_power(floor, account, ticket)
    return intent


def check_power(floor: Floor, account: str, ticket: Ticket, *, freed: Decimal = ZERO) -> None:
    """`freed`: what an order that this one takes the place of gives back."""
    power = floor.accounts[account].option_buying_power + freed
    needed = burden(floor, account, ticket)
    if needed > power:
        raise insufficient_power(power, needed)


def insufficient_power(power: Decimal, needed: Decimal) -> Refused:
    return not_allowed(
        "insufficient options buying power",
        cause=Cause.POWER,
        buying_power=f"{power:.2f}",
        cost_basis=f"{needed:.2f}",
    )


def burden(floor: Floor, account: str, ticket: Ticket) -> Decimal:
    """What the order binds of the account's own money; zero or less when it sets money free."""
    return sum(cost_of(floor, account, ticket), ZERO)


def cost_of(floor: Floor, account: str, ticket: Ticket) -> tuple[Decimal, Decimal]:
    """The order's own price, and what it adds to what is set aside."""
    books, terms = floor.accounts[account], ticket.terms
    assert terms.quantity is not None
    changes = {name: sign * terms.quantity for name, sign in _signed(ticket)}
    added = floor.requirement(books, changes) - books.requirement
    return _price(floor, ticket) * terms.quantity, added


def _signed(ticket: Ticket) -> list[tuple[str, Decimal]]:
    """What one unit of the order adds to each holding."""
    if ticket.legs:
        return [(leg.instrument, leg.ratio * leg.intent.side.sign) for leg in ticket.legs]
    return [(ticket.terms.instrument, Decimal(ticket.terms.side.sign))]


def _price(floor: Floor, ticket: Ticket) -> Decimal:
    """What one unit costs in money, at its limit or at the market; a part without a quote costs nothing yet."""
    terms = ticket.terms
    if ticket.legs and terms.limit_price is not None:
        return terms.limit_price * HUNDRED
    total = ZERO
    for name, signed in _signed(ticket):
        side = Side.BUY if signed > 0 else Side.SELL
        price = terms.limit_price if terms.limit_price is not None else terms.stop_price
        if price is None:
            quote = floor.quotes.get(name)
            price = ZERO if quote is None else far_side(side, quote)
        total += signed * price * floor.assets[name].multiplier
    return total


def unit_reserve(floor: Floor, order: Order, ticket: Ticket) -> Decimal:
    """What every unit of an admitted order holds back of the account's buying power until it is done."""
    assert ticket.terms.quantity is not None
    needed = max(ZERO, burden(floor, order.account, ticket))
    return needed * floor.accounts[order.account].spec.multiplier / ticket.terms.quantity
