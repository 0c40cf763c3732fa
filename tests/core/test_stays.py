"""A stop that reserves nothing and may only reduce rests until the close beside it has filled."""

from typing import Any

import pytest

from standfast.core.policy import Policy
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.effects import CancelOrder, ReplaceOrder, SubmitOrder
from standfast.model.ids import BrokerOrderId, PositionId
from standfast.model.order import OrderState, OrderType
from standfast.model.position import CloseReason, Position
from tests.core.situations import SPY, D, adopted, closing_of, of, position, ruled, with_contract
from tests.core.toy_broker import Desk, desk

STAYS = with_contract(
    reduce_only=True,
    oco=False,
    reserves_quantity=False,
    checks_closing=False,
    fractional_stops=True,
    refuses_wash_trades=False,
)
STOP = Policy(name="stop", stop_loss=D("0.02"))
FURTHER = PositionId("p2")


def guarded(*facts: j.Fact, **changes: Any) -> Desk:
    """What these say is held, its stops at rest, and closes that are not filled until a test says so."""
    at = desk(*facts, rules=ruled(STOP), contract=STAYS, fills_markets=False, **changes)
    at.run()
    at.sent.clear()
    at.facts.clear()
    return at


def stops(at: Desk) -> list[tuple[str, str]]:
    return sorted((str(o.remaining), str(o.stop_price)) for o in at.alive() if o.type is OrderType.STOP)


def close_order(at: Desk) -> SubmitOrder:
    (sent,) = [each for each in at.sent if isinstance(each, SubmitOrder)]
    return sent


def working_close(at: Desk) -> BrokerOrderId:
    (order,) = [each for each in at.alive() if each.type is OrderType.MARKET]
    return order.broker_id


def naked(at: Desk) -> list[j.NakedBegan]:
    return of(j.NakedBegan, at.facts)


def breaks_of(at: Desk, *kinds: BreakKind) -> list[j.BreakSeen]:
    return [each for each in of(j.BreakSeen, at.facts) if each.finding.kind in kinds]


def test_the_stop_rests_until_the_close_has_filled_and_goes_at_once_then() -> None:
    at = guarded(*position(10))

    at.tell(closing_of())
    at.run()

    assert [type(each) for each in at.sent] == [SubmitOrder], "nothing was freed for it"
    assert stops(at) == [("10", "98.00")]
    at.fill(working_close(at))
    at.run()
    assert stops(at) == []
    assert at.book.state.positions == {}
    assert naked(at) == []
    assert breaks_of(at, BreakKind.STRAY_EXIT, BreakKind.OVER_COVERED, BreakKind.UNCOVERED) == []


def test_of_a_close_of_a_part_the_stop_is_made_less_in_place_when_it_has_filled() -> None:
    at = guarded(*position(10))

    at.tell(closing_of(remain=6))
    at.run()
    close = working_close(at)
    at.fill(close, D(1))
    at.run()
    assert stops(at) == [("10", "98.00")], "it works still: both are bounded by what is held"
    at.fill(close, D(3))
    at.run()

    assert stops(at) == [("6", "98.00")]
    assert of(CancelOrder, at.sent) == []
    assert len(of(ReplaceOrder, at.sent)) == 1
    assert naked(at) == []
    assert breaks_of(at, BreakKind.OVER_COVERED, BreakKind.UNCOVERED) == []


def test_a_refused_close_leaves_the_stop_as_it_was() -> None:
    at = guarded(*position(10), refuses=lambda effect: "other" if effect.intent.terms.type is OrderType.MARKET else "")

    at.tell(closing_of())
    for _ in range(4):
        at.run()
        at.wait(2)

    assert stops(at) == [("10", "98.00")]
    assert len(of(SubmitOrder, at.sent)) > 1, "it is tried on"
    assert of(CancelOrder, at.sent) == []
    assert naked(at) == []


def test_a_stop_that_fills_while_the_close_works_closes_the_position_once() -> None:
    at = guarded(*position(10))
    at.tell(closing_of())
    at.run()
    close = working_close(at)

    (stop,) = [each for each in at.alive() if each.type is OrderType.STOP]
    at.fill(stop.broker_id)  # the exchange then ends what could only reduce
    at.end(close, OrderState.CANCELLED)
    at.run()

    assert at.book.state.positions == {}
    (closed,) = at.book.state.closed.values()
    assert (closed.closed, closed.close_reason) == (D(10), CloseReason.STOP_LOSS)
    assert len(of(SubmitOrder, at.sent)) == 1, "no second close"


def test_a_stop_that_fills_a_part_leaves_the_close_no_more_than_is_held() -> None:
    at = guarded(*position(10))
    at.tell(closing_of())
    at.run()
    close = working_close(at)
    (stop,) = [each for each in at.alive() if each.type is OrderType.STOP]

    at.fill(stop.broker_id, D(4))
    at.run()
    assert [each.broker_id for each in of(CancelOrder, at.sent)] == [close], "it would close more than is left"
    at.run()
    at.fill(working_close(at))
    at.run()

    assert at.net[SPY] == 0
    assert (at.book.state.positions, stops(at)) == ({}, [])


def test_a_target_gives_way_because_it_covers_nothing() -> None:
    at = desk(*position(10), rules=ruled(Policy(name="t", take_profit=D("0.1"))), contract=STAYS, fills_markets=False)
    at.run()

    at.tell(closing_of())
    at.run()

    assert len(of(CancelOrder, at.sent)) == 1


def test_where_quantity_is_reserved_the_stop_gives_way_first() -> None:
    at = desk(*position(10), rules=ruled(STOP), fills_markets=False)
    at.run()

    at.tell(closing_of())
    at.run()

    assert len(of(CancelOrder, at.sent)) == 1
    assert stops(at) == []


def two() -> list[j.Fact]:
    return [*position(10), *position(10, id=FURTHER)]


@pytest.mark.parametrize(
    ("reason", "stay"),
    [(CloseReason.OPERATOR, True), (CloseReason.MAXIMUM_HOLD, True), (CloseReason.STOP_LOSS, False)],
)
def test_beside_others_of_ours_it_stays_unless_the_price_is_at_it(reason: CloseReason, *, stay: bool) -> None:
    """Both filling in one moment would close what is the others'."""
    at = guarded(*two())

    at.tell(closing_of(reason=reason))
    at.run()

    assert (of(CancelOrder, at.sent) == []) is stay
    at.fill(working_close(at))
    at.run()
    assert stops(at) == [("10", "98.00")], "the other's own"
    assert [each.id for each in at.book.state.positions.values()] == [FURTHER]


def test_it_gives_way_where_it_could_take_what_is_somebody_elses() -> None:
    foreign = j.ForeignAcknowledged(holding=SPY, quantity=D(5), by="policy")
    at = desk(*position(10), foreign, rules=ruled(STOP), contract=STAYS, fills_markets=False)
    at.net[SPY] = D(15)
    at.run()
    assert stops(at) == [("10", "98.00")]
    at.sent.clear()

    at.tell(closing_of())
    at.run()

    assert len(of(CancelOrder, at.sent)) == 1


def test_an_adopted_position_keeps_its_stop_beside_its_close_too() -> None:
    at = guarded(adopted(10))

    at.tell(closing_of())
    at.run()

    assert stops(at) == [("10", "98.00")]
    held: list[Position] = list(at.book.state.positions.values())
    assert len(held) == 1


def test_a_stop_whose_cancel_is_lost_after_the_close_is_cancelled_again() -> None:
    """It would close what somebody opens here next."""
    lost = iter(["unreachable"])
    at = guarded(*position(10), loses_cancel=lambda effect: next(lost, ""))
    at.tell(closing_of())
    at.run()
    at.fill(working_close(at))

    for _ in range(12):
        at.run()
        at.wait(2)

    assert stops(at) == []
    assert len(of(CancelOrder, at.sent)) >= 2
