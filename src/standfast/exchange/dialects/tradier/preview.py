"""What an order would cost, without placing it [recorded keys]."""

from decimal import Decimal

from standfast.exchange.contracts import contract_of
from standfast.exchange.dialects.gate import Call
from standfast.exchange.dialects.tradier.asking import Wish
from standfast.exchange.dialects.tradier.wire import Row, money, number
from standfast.exchange.orders import ZERO

COMMISSION = Decimal("0.35")  # a contract


def preview_row(call: Call, asked: Wish) -> Row:
    ticket = asked.ticket
    terms = ticket.terms
    price, bound = call.venue.engine.cost(call.account, ticket)
    quantity = terms.quantity or ZERO
    legs = [(leg.instrument, leg.ratio * quantity) for leg in ticket.legs] or [(terms.instrument, quantity)]
    contracts = sum((amount for name, amount in legs if contract_of(name) is not None), ZERO)
    commission = contracts * COMMISSION
    row: Row = {
        "status": "ok",
        "commission": money(commission),
        "cost": money(price + commission),
        "fees": 0,
        "symbol": terms.instrument,
        "quantity": number(sum((amount for _, amount in legs), ZERO)),
        "side": "buy" if ticket.legs or ticket.intent is None else ticket.intent.value,
        "type": terms.type.value,
        "duration": asked.duration,
        "result": True,
        "order_cost": money(price),
        "margin_change": money(bound),
        "request_date": call.venue.now.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "extended_hours": terms.extended_hours,
        "class": asked.asked_class,
    }
    if terms.limit_price is not None:
        row["price"] = number(abs(terms.limit_price))
    contract = contract_of(terms.instrument)
    if contract is not None:
        row |= {"symbol": contract.underlying, "option_symbol": contract.name, "strategy": "option"}
    if contracts:
        row |= {"option_requirement": money(bound), "day_trades": 0}
    return row
