"""Tests of `core/adopt.py`: what our own exits prove to be ours, after the books have been lost."""

from collections.abc import Iterable
from decimal import Decimal

import pytest

from standfast.core.adopt import price_now, proven_ours
from standfast.core.fills import book_fill
from standfast.core.policy import Foreign, HeldBy, Policy
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.ids import BrokerOrderId, ClientOrderId, PositionId
from standfast.model.order import OrderReport, OrderState, OrderType, Role, Side
from tests.core.booking import LOT, foreign_lot
from tests.core.situations import (
    SPY,
    D,
    P,
    adopted,
    after,
    fill,
    folded,
    of,
    own_id,
    position,
    quoted,
    report,
    resting_stop,
    ruled,
    situation,
    told,
)
from tests.core.structures import at
from tests.core.test_repair import Watch

OURS = own_id(Role.STOP, id=PositionId("forgotten"))


def stop(quantity: int = 10, *, client: str = OURS, **changes: object) -> OrderReport:
    kept = {"side": Side.SELL, "type": OrderType.STOP, "stop": "98", **changes}
    return report(f"stop of {quantity}", client=client, quantity=quantity, **kept)  # type: ignore[arg-type]  # a test's changes


@pytest.mark.parametrize(
    ("extra", "listed", "ours"),
    [
        (10, [stop()], 10),
        (25, [stop()], 10),
        (4, [stop()], 4),
        (-10, [stop(side=Side.BUY)], -10),
        (10, [stop(4), stop(5)], 9),
        (10, [], 0),
        (10, [stop(client="the bot's own")], 0),
        (10, [stop(side=Side.BUY)], 0),
        (10, [stop(state=OrderState.CANCELLED)], 0),
        (0, [stop()], 0),
    ],
    ids=["all", "a part", "no more than is there", "short", "several", "none", "a bot's", "an entry", "over", "flat"],
)
def test_our_own_exits_prove_what_they_would_close(extra: int, listed: Iterable[OrderReport], ours: int) -> None:
    assert proven_ours(situation(folded(), listed=listed), SPY, D(extra)) == Decimal(ours)


def test_an_exit_that_is_booked_proves_nothing_more() -> None:
    book = folded(*position(10), *resting_stop(10))
    (booked,) = (order for order in book.state.orders.values() if order.is_stop)
    assert booked.broker_id is not None
    listed = report(booked.broker_id, client=booked.id, type=OrderType.STOP, stop="98")

    assert proven_ours(situation(book, listed=[listed]), SPY, D(10)) == 0


@pytest.mark.parametrize("foreign", [Foreign.ALERT, Foreign.IGNORE])
def test_only_what_is_proven_is_taken_in_and_the_rest_is_as_the_policy_says(foreign: Foreign) -> None:
    watch = Watch(held={SPY: 25}, listed=[stop()], rules=ruled(foreign=foreign))

    outcomes = watch.looks(8)

    assert [taken.quantity for taken in of(j.PositionAdopted, outcomes)] == [D(10)]
    ignored = [fact.quantity for fact in of(j.ForeignAcknowledged, outcomes)]
    assert ignored == ([D(15)] if foreign is Foreign.IGNORE else [])
    listed = [found.finding.reported for found in watch.book.breaks_at(SPY) if found.finding.kind is BreakKind.QUANTITY]
    assert listed == (["25"] if foreign is Foreign.ALERT else [])


def test_ids_alone_are_not_enough_where_the_side_says_otherwise() -> None:
    entry = report("entry", client=ClientOrderId(OURS), side=Side.BUY, type=OrderType.LIMIT, limit="99")
    assert entry.broker_id == BrokerOrderId("entry")

    assert proven_ours(situation(folded(), listed=[entry]), SPY, D(5)) == 0


def test_the_rest_of_a_strangers_entry_that_was_adopted_from_the_list_is_matched() -> None:
    """Found by simulation: activities were minutes old, and the rest of an entry counted twice."""
    lot = foreign_lot(1)
    theirs = report("theirs", side=Side.BUY, quantity=7, filled=7, state=OrderState.FILLED)
    book = folded(*lot, j.OrderObserved(report=theirs, position=LOT), adopted(6))

    (fact,) = book_fill(book, ruled(), fill("x2", "theirs", Side.BUY, 6, 100))

    assert fact == j.FillMatched(fill=fill("x2", "theirs", Side.BUY, 6, 100), position=P)


def test_what_an_entry_fills_after_its_first_part_was_adopted_from_the_list_joins_it_and_so_do_its_exits() -> None:
    """Found by simulation: the rest became a lot of its own, and the target of all held the quantity of the first."""
    target = report("target", type=OrderType.LIMIT, limit="120", quantity=72, state=OrderState.HELD)
    entry = report("theirs", side=Side.BUY, quantity=72, filled=55, legs=(target,), order_class="bracket")
    book = folded(adopted(55), j.OrderObserved(report=entry))
    rules = ruled(foreign=Foreign.ADOPT)

    for made in (fill("x1", "theirs", Side.BUY, 55, 100), fill("x2", "theirs", Side.BUY, 17, 100, at=after(3))):
        told(book, *book_fill(book, rules, made))

    (lot,) = book.state.positions.values()
    assert (lot.id, lot.held, lot.bare_adopted) == (P, D(72), D(0))
    assert {order.position for order in book.state.orders.values()} == {P}


@pytest.mark.parametrize(("ask", "price"), [("0.05", D("0.025")), ("0.40", None)], ids=["worth nothing", "lacks a bid"])
def test_an_option_that_nobody_bids_for_and_is_worth_nothing_has_a_price_to_be_taken_in_at(
    ask: str, price: Decimal | None
) -> None:
    """Found by simulation: the bought legs of a condor were never taken in, and what they bound counted as bare."""
    bought = at("P", 3700)
    s = situation(folded(), sights={bought: quoted("0", ask), SPY: quoted("0", ask)})

    assert price_now(s, bought) == price
    assert price_now(s, SPY) is None


@pytest.mark.parametrize(("ask", "price"), [("100.90", "100.45"), ("101.10", None)])
def test_a_stop_nearer_than_its_market_is_ever_quoted_rests_all_the_same(ask: str, price: str | None) -> None:
    """Found by simulation: a stop of 0.1 % in a market quoted 0.4 % apart, and the position was bare for good."""
    near = Policy(name="near", held_by=HeldBy.BROKER, stop_loss=D("0.001"))
    s = situation(folded(), policy=near, sights={SPY: quoted("100.00", ask)})
    assert price_now(s, SPY) == (D(price) if price is not None else None)
