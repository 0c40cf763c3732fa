"""Orders that belong together: bracket, OCO, OTO (brokers/README §1.3). Pure functions of tickets and orders.

The pair of exits is a bracket's two children, or an OCO parent (the take-profit) and its child (the stop).

Invariants: a child's quantity is its entry's; of a pair, what fills on one side is taken off the other; a pair holds
its quantity once, not twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from standfast.exchange.orders import (
    ZERO,
    Intent,
    Order,
    OrderClass,
    OrderType,
    Side,
    StopLoss,
    TakeProfit,
    Terms,
    Ticket,
)

EXIT = {Side.BUY: Intent.BUY_TO_CLOSE, Side.SELL: Intent.SELL_TO_CLOSE}


def child_terms(ticket: Ticket) -> Iterator[Terms]:
    """What the children of this ticket's order ask for, take-profit first."""
    parent = ticket.terms
    if ticket.order_class in (OrderClass.SIMPLE, OrderClass.MULTILEG):
        return
    side = parent.side if ticket.order_class is OrderClass.OCO else parent.side.opposite
    bare = Terms(instrument=parent.instrument, side=side, time_in_force=parent.time_in_force, quantity=parent.quantity)
    if ticket.take_profit is not None and ticket.order_class is not OrderClass.OCO:
        yield take_profit_terms(bare, ticket.take_profit)
    if ticket.stop_loss is not None:
        yield stop_loss_terms(bare, ticket.stop_loss)


def take_profit_terms(bare: Terms, leg: TakeProfit) -> Terms:
    return replace(bare, type=OrderType.LIMIT, limit_price=leg.limit_price)


def stop_loss_terms(bare: Terms, leg: StopLoss) -> Terms:
    order_type = OrderType.STOP if leg.limit_price is None else OrderType.STOP_LIMIT
    return replace(bare, type=order_type, stop_price=leg.stop_price, limit_price=leg.limit_price)


def exit_pair(parent: Order) -> tuple[str, ...]:
    """The ids of the two exits of a group, empty when the group has no pair."""
    match parent.order_class:
        case OrderClass.BRACKET:
            return parent.leg_ids
        case OrderClass.OCO:
            return (parent.id, *parent.leg_ids)
        case _:
            return ()


def pair_key(order: Order) -> str:
    """Orders with the same key are two ways out of the same quantity."""
    return order.parent_id if order.parent_id is not None else order.id


def held_quantity(orders: Iterable[Order], exit_side: Side, price: Decimal | None) -> Decimal:
    """What these unfinished orders hold of a position that `exit_side` reduces."""
    by_pair: dict[str, Decimal] = {}
    for order in orders:
        if order.side is not exit_side or not holds(order):
            continue
        key = pair_key(order)
        by_pair[key] = max(by_pair.get(key, ZERO), _quantity(order, price))
    return sum(by_pair.values(), ZERO)


def holds(order: Order) -> bool:
    """Not a child whose parent has not filled, a replacement on its way, or a multi-leg whole: its legs do."""
    if order.is_multileg or (order.parent_id is not None and order.live_at is None):
        return False
    return order.replaces is None or order.live_at is not None


def _quantity(order: Order, price: Decimal | None) -> Decimal:
    if order.terms.notional is None:
        return order.remaining
    return (order.terms.notional - order.filled_value) / price if price else ZERO
