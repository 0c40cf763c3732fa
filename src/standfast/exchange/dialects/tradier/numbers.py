"""Tradier's order numbers: the engine's own numbering from a base on, and a second range for the parents of groups.

A group's parent (OCO, OTO, OTOCO) is nothing the engine knows: its orders hang together there by themselves.
"""

from standfast.exchange.engine import Engine
from standfast.exchange.orders import Order, OrderClass

BASE = 38_000_000
GROUP_BASE = 88_000_000

GROUPED = frozenset({OrderClass.OCO, OrderClass.OTO, OrderClass.BRACKET})


def number_of(order: Order) -> int:
    return BASE + order.number


def group_number(first: Order) -> int:
    """Of the group whose first order this is."""
    return GROUP_BASE + first.number


def order_of(engine: Engine, account: str, text: str) -> Order | None:
    """The order a number means; of a group's number the group's first order."""
    if not text.isascii() or not text.isdigit():
        return None
    number = int(text)
    if number >= GROUP_BASE:
        first = engine.order_by_number(account, number - GROUP_BASE)
        return first if first is not None and is_grouped(first) else None
    return engine.order_by_number(account, number - BASE)


def is_group_number(text: str) -> bool:
    return int(text) >= GROUP_BASE


def is_grouped(order: Order) -> bool:
    """Whether it is the first order of a group."""
    return order.order_class in GROUPED and order.parent_id is None
