"""Our terms -> the form Tradier wants. Pure.

Invariants
- The side says what an order is meant for: one that may only reduce is a closing side, and Tradier refuses it when
  there is nothing to close. No order can cross zero.
- Numbers travel as text, exactly as they are.
- What Tradier cannot hold is refused here, before it leaves.
"""

from collections.abc import Sequence
from decimal import Decimal

from standfast.brokers.shared.writing import text
from standfast.model.errors import Rejected
from standfast.model.ids import ClientOrderId, Holding, InstrumentId
from standfast.model.option import option_contract
from standfast.model.order import LegTerms, OrderType, Side, Terms, TimeInForce
from standfast.model.settlement import settlement

TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT})
DURATIONS = frozenset({TimeInForce.DAY, TimeInForce.GTC})
OPTION_SIDES = {
    (Side.BUY, False): "buy_to_open",
    (Side.SELL, False): "sell_to_open",
    (Side.BUY, True): "buy_to_close",
    (Side.SELL, True): "sell_to_close",
}
EQUITY_SIDES = {
    (Side.BUY, False): "buy",
    (Side.SELL, False): "sell_short",
    (Side.BUY, True): "buy_to_cover",
    (Side.SELL, True): "sell",
}
LEGS_MAX, OPTIONS_WITH_SHARES = 4, 2
"""Of one order; of one that trades shares too."""

Form = dict[str, str]


def submission(client_id: ClientOrderId, holding: Holding, terms: Terms, underlying: InstrumentId) -> Form:
    """The form of POST /orders. Raises Rejected for what Tradier has no form for."""
    _check(terms)
    common = {"tag": str(client_id), "duration": terms.time_in_force.value}
    side = side_of(holding, terms.side, reduces=terms.reduces)
    if terms.target_price is not None:
        target = {"type": "limit", "side": side, "price": text(terms.target_price)}
        return {**common, "class": "oco", **_legs(holding, underlying, terms, target, _stop(side, terms))}
    if terms.attached_stop is not None:
        exit_side = side_of(holding, terms.side.opposite, reduces=True)
        entry = {"type": terms.type.value, "side": side, **_prices(terms)}
        stop = {"type": "stop", "side": exit_side, "stop": text(terms.attached_stop)}
        return {**common, "class": "oto", **_legs(holding, underlying, terms, entry, stop)}
    return {
        **common,
        "class": "option" if is_option(holding) else "equity",
        "type": terms.type.value,
        "side": side,
        "quantity": text(terms.quantity),
        **_prices(terms),
        **_symbols(holding, underlying),
    }


def together(client_id: ClientOrderId, legs: Sequence[LegTerms], net: Decimal | None, underlying: InstrumentId) -> Form:
    """The form of POST /orders for all legs as one. Raises Rejected for what Tradier has no form for.

    `net`: what a unit shall bring at least. Its sign goes into the type, the price is always positive.
    """
    for leg in legs:
        _check(leg.terms)
    options = [leg for leg in legs if is_option(leg.holding)]
    shares = len(legs) - len(options)
    if not 2 <= len(legs) <= LEGS_MAX or not options or shares > 1 or (shares and len(options) > OPTIONS_WITH_SHARES):
        raise Rejected(f"no form for {shares} + {len(options)} legs: it was not sent", kind="other", code="local")
    if len({leg.terms.time_in_force for leg in legs}) != 1:
        raise Rejected("no form for legs that last differently: it was not sent", kind="other", code="local")
    kind = "market" if net is None else "credit" if net > 0 else "debit" if net < 0 else "even"
    form = {
        "tag": str(client_id),
        "class": "combo" if shares else "multileg",
        "symbol": str(underlying),
        "type": kind,
        "duration": legs[0].terms.time_in_force.value,
    }
    if net:
        form["price"] = text(abs(net))
    for place, leg in enumerate(legs):
        if is_option(leg.holding):
            form[f"option_symbol[{place}]"] = str(leg.holding.instrument)
        form[f"side[{place}]"] = side_of(leg.holding, leg.terms.side, reduces=leg.terms.reduces)
        form[f"quantity[{place}]"] = text(leg.terms.quantity)
    return form


def side_of(holding: Holding, side: Side, *, reduces: bool) -> str:
    """From which way it trades, and whether it is to close: never from a guess of what is held."""
    return (OPTION_SIDES if is_option(holding) else EQUITY_SIDES)[side, reduces]


def is_option(holding: Holding) -> bool:
    return option_contract(holding.instrument) is not None


def underlying_of(instrument: InstrumentId) -> InstrumentId:
    """What a contract's root says lies under it."""
    contract = option_contract(instrument)
    return instrument if contract is None else InstrumentId(settlement(contract).underlying)


def _legs(holding: Holding, underlying: InstrumentId, terms: Terms, *legs: Form) -> Form:
    """The orders of a group, each field with its place."""
    found: Form = {}
    for place, leg in enumerate(legs):
        whole = {**leg, "quantity": text(terms.quantity), **_symbols(holding, underlying)}
        found |= {f"{name}[{place}]": value for name, value in whole.items()}
    return found


def _symbols(holding: Holding, underlying: InstrumentId) -> Form:
    if not is_option(holding):
        return {"symbol": str(holding.instrument)}
    return {"symbol": str(underlying), "option_symbol": str(holding.instrument)}


def _stop(side: str, terms: Terms) -> Form:
    assert terms.stop_price is not None, "a pair has a stop"
    stop = {"type": "stop", "side": side, "stop": text(terms.stop_price)}
    if terms.type is OrderType.STOP_LIMIT and terms.limit_price is not None:
        stop |= {"type": "stop_limit", "price": text(terms.limit_price)}
    return stop


def _prices(terms: Terms) -> Form:
    prices = {"price": terms.limit_price, "stop": terms.stop_price}
    return {name: text(price) for name, price in prices.items() if price is not None}


def _check(terms: Terms) -> None:
    if terms.type not in TYPES or terms.time_in_force not in DURATIONS:
        raise Rejected(f"no form for {terms.type} {terms.time_in_force}: it was not sent", kind="other", code="local")
    if terms.quantity != terms.quantity.to_integral_value() or terms.quantity <= 0:
        raise Rejected(f"{terms.quantity} is no whole quantity: it was not sent", kind="not_fractionable", code="local")
    if terms.attached_stop is not None and terms.type is OrderType.MARKET:
        raise Rejected(
            "an entry at market carries no stop here: it was not sent", kind="other", code="local"
        )  # brokers/README §2.3: the first order of an oto is limit, stop or stop_limit
