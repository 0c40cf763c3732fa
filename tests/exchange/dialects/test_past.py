"""A stale copy is what was to be seen then."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given

from standfast.exchange.orders import Order
from standfast.exchange.past import Past
from standfast.exchange.queries import ActivityQuery, Direction, Listing, OrderQuery
from tests.exchange.dialects.busy import STEPS, Account

QUERIES = [
    OrderQuery(),
    OrderQuery(status=Listing.ALL, limit=500),
    OrderQuery(status=Listing.CLOSED, direction=Direction.ASC, limit=500),
    OrderQuery(instruments=frozenset({"AAA"}), nested=True),
]

Seen = tuple[dict[str, Decimal], list[list[Order]], int]


def seen(account: Account, past: Past, at: datetime | None) -> Seen:
    """Holdings, order lists and the number of activities: now, or as of a time."""
    engine = account.engine
    if at is None:
        positions = engine.positions("paper")
        orders = [engine.orders("paper", query) for query in QUERIES]
        activities = engine.activities("paper", ActivityQuery())
    else:
        positions = past.positions("paper", at)
        orders = [past.orders("paper", query, at) for query in QUERIES]
        activities = past.activities("paper", ActivityQuery(), at)
    return {row.instrument: row.quantity for row in positions}, orders, len(activities)


@given(STEPS)
def test_the_past_is_what_was_seen_then(steps: list[tuple[str, str]]) -> None:
    account = Account()
    past = Past(account.engine)
    shown: list[tuple[datetime, Seen]] = []
    for what, name in steps:
        if what == "split":  # tells no event of a position; a stale copy of a split day is not promised
            continue
        account.step(what, name)
        shown.append((account.engine.now, seen(account, past, None)))
        account.engine.advance(account.engine.now + timedelta(seconds=1))

    for at, then in shown:
        assert seen(account, past, at) == then


def test_an_order_that_was_not_there_yet_is_not_found() -> None:
    account = Account()
    past = Past(account.engine)
    before = account.engine.now
    account.engine.advance(before + timedelta(seconds=1))
    account.step("buy", "AAA")
    (order,) = account.engine.orders("paper", replace(OrderQuery(), status=Listing.ALL))

    assert past.order(order, before) is None
    assert past.order(order, account.engine.now) == order
    assert past.position("paper", "AAA", before) is None
