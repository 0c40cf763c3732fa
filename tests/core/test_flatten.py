"""Tests of `core/flatten.py`: entries first, everything that is ours, and an honest end."""

from typing import Any

import pytest

from standfast.core.policy import Foreign
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, SubmitOrder
from standfast.model.ids import BrokerOrderId, PositionId, RequestId
from standfast.model.order import OrderType, Role, Side
from tests.core.booking import LOT, foreign_lot
from tests.core.situations import (
    QQQ,
    SPY,
    D,
    folded,
    of,
    opening_of,
    own_id,
    position,
    quoted,
    report,
    ruled,
    with_contract,
)
from tests.core.toy_broker import Desk, desk

WANTED = RequestId("r1")


def flatten(at: Desk, *, everything: bool = False, seconds: int = 20) -> str:
    """Flatten, and look until it is over; what it says of the end."""
    at.run()
    taken = j.RequestTaken(request=WANTED, verb="flatten", arguments={}, by="ann")
    at.tell(taken, j.FlattenRequested(request=WANTED, everything=everything, by="ann"))
    ends: list[str] = []
    for _ in range(seconds):
        at.run()
        at.wait(1)
    ends += [] if at.book.state.flattening else ["over"]
    return "".join(ends)


def theirs(at: Desk, id: str, **changes: Any) -> None:
    """An order of somebody else, working at the broker."""
    at.orders[BrokerOrderId(id)] = report(id, **changes)
    at.read()


def test_entries_are_cancelled_before_anything_is_closed() -> None:
    second = PositionId("p2")
    at = desk(*position(10), fills_markets=False)
    at.run()
    at.tell(opening_of(3, id=second, limit=D(90))[0])
    at.run()
    (entry,) = [o for o in at.alive() if o.client_id == own_id(Role.OPEN, 1, second)]
    at.fills_markets = True
    before = len(at.sent)

    assert flatten(at) == "over"

    cancels = [effect.broker_id for effect in of(CancelOrder, at.sent[before:])]
    assert cancels[0] == entry.broker_id
    assert (at.net[SPY], at.alive(), at.book.state.positions) == (D(0), [], {})
    assert at.over == []


def test_protection_stays_until_its_own_position_is_closed() -> None:
    at = desk(*position(10), *position(10, id=PositionId("q1"), holding=QQQ))
    at.sights[QQQ] = quoted("100")
    at.refuses = lambda effect: "other" if effect.intent.role is Role.CLOSE and effect.holding == QQQ else ""

    assert flatten(at) == ""

    assert at.net == {SPY: D(0), QQQ: D(10)}
    at.is_open = False
    at.run()
    assert [(o.holding, o.type) for o in at.alive()] == [(QQQ, OrderType.STOP)]


def test_foreign_quantity_stays_and_is_named() -> None:
    at = desk(*position(10), *foreign_lot(5))

    assert flatten(at) == "over"

    assert at.net[SPY] == D(5)
    assert LOT in at.book.state.positions


def test_entries_of_others_go_too_unless_policy_ignores_them() -> None:
    for foreign, gone in ((Foreign.ALERT, True), (Foreign.IGNORE, False)):
        at = desk(*position(10), rules=ruled(foreign=foreign))
        theirs(at, "entry", side=Side.BUY, type=OrderType.LIMIT, limit="90")
        flatten(at)
        assert (at.orders[BrokerOrderId("entry")].is_finished, at.net[SPY]) == (gone, D(0))


@pytest.mark.parametrize("kind", ["lot", "bare", "ignored"])
def test_everything_means_everything(kind: str) -> None:
    facts: dict[str, list[j.Fact]] = {
        "lot": foreign_lot(5),
        "bare": [],
        "ignored": [j.ForeignAcknowledged(holding=SPY, quantity=D(5), by="op")],
    }
    at = desk(*position(10), *facts[kind])
    at.net[SPY] = D(15)

    assert flatten(at, everything=True) == "over"

    assert (at.net[SPY], at.alive(), at.book.state.positions) == (D(0), [], {})


def test_a_shortfall_is_not_adopted_the_other_way() -> None:
    """The broker holds less than the books: selling what is missing would open a short."""
    at = desk(*position(10))
    at.net[SPY] = D(4)

    flatten(at, everything=True)

    assert at.net[SPY] == D(0)
    assert [p.sign for p in at.book.state.positions.values()] == [1]


def test_nothing_held_is_over_at_once() -> None:
    at = Desk(book=folded())

    assert flatten(at, seconds=1) == "over"
    assert of(SubmitOrder, at.sent) == []


@pytest.mark.parametrize("everything", [False, True])
def test_a_fraction_that_no_order_closes_ends_it_and_is_named(*, everything: bool) -> None:
    at = desk(
        *position("10.5"),
        contract=with_contract(fractional_stops=False),
        refuses=lambda effect: "" if effect.intent.terms.quantity % 1 == 0 else "not_fractionable",
    )

    assert flatten(at, everything=everything) == "over"

    assert at.net[SPY] == D("0.5")
    (done,) = of(j.RequestDone, at.facts)
    assert (done.ok, done.detail) == (
        False,
        "flat but for 0.5 SPY; the broker takes no order for a fraction of a share",
    )
