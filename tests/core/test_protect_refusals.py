"""Tests of `core/protect.py`: exits that are refused, and exits that somebody takes away."""

from standfast.model.effects import SubmitOrder
from standfast.model.order import OrderState, OrderType, Role
from standfast.model.position import CloseReason, Phase
from tests.core.situations import (
    SPY,
    D,
    adopted,
    of,
    position,
    quoted,
    the,
)
from tests.core.toy_broker import Desk, desk


def refusing(kind: str, roles: tuple[Role, ...] = (Role.STOP,)) -> "Desk":
    return desk(*position(10), refuses=lambda effect: kind if effect.intent.role in roles else "")


def test_a_refused_stop_of_ours_is_tried_three_times_and_then_the_position_is_rolled_back() -> None:
    at = refusing("other")
    for _ in range(10):
        at.run()
        at.wait(1)

    assert len([e for e in of(SubmitOrder, at.sent) if e.intent.role is Role.STOP]) == 3
    (closed,) = at.book.state.closed.values()
    assert closed.close_reason is CloseReason.ROLLBACK


def test_a_stop_refused_after_its_acceptance_counts_as_refused() -> None:
    at = desk(*position(10))
    for _ in range(12):
        at.run()
        for order in at.alive():
            if order.type is OrderType.STOP:
                at.end(order.broker_id, OrderState.REJECTED)
        at.run()
        at.wait(1)

    assert len([e for e in of(SubmitOrder, at.sent) if e.intent.role is Role.STOP]) <= 4
    assert [p.close_reason for p in at.book.state.closed.values()] == [CloseReason.ROLLBACK]


def test_a_dead_network_is_no_refusal() -> None:
    """A transport error is evidence of nothing: no position is rolled back because of one."""
    at = refusing("not_sent")
    for _ in range(60):
        at.run()
        at.wait(1)
    assert the(at.book).phase is Phase.OPEN
    assert 8 < len(at.sent) < 13, "many positions at once must not make a storm of it"

    at.refuses = lambda effect: ""
    at.wait(8)
    at.run()
    (rests,) = at.alive()
    assert (rests.type, rests.remaining, rests.stop_price) == (OrderType.STOP, D(10), D(98))


def test_a_refused_stop_of_what_was_found_is_tried_for_ever_and_never_closed_for_that() -> None:
    at = desk(adopted(10), refuses=lambda effect: "other")
    for _ in range(200):
        at.run()
        at.wait(5)

    assert the(at.book).phase is Phase.OPEN
    assert 15 < len(at.sent) < 40


def test_a_stop_the_price_is_beyond_already_means_close_now() -> None:
    at = refusing("price")
    at.sights = {SPY: quoted("97", "97.02")}

    at.run()

    (closed,) = at.book.state.closed.values()
    assert closed.close_reason is CloseReason.STOP_LOSS


def test_a_stop_refused_twice_for_the_price_is_through_by_a_wide_quote_too() -> None:
    """The mid is above the stop, what one would get is not, and the broker says so: it could never be placed."""
    at = refusing("price")
    at.sights = {SPY: quoted("97.50", "100.50")}

    at.run()
    assert at.book.state.closed == {}
    at.wait(2)
    at.run()

    (closed,) = at.book.state.closed.values()
    assert closed.close_reason is CloseReason.STOP_LOSS


def test_a_stop_the_broker_finds_too_near_is_no_reason_to_close_while_our_own_price_says_otherwise() -> None:
    """Overnight and around a split a broker judges by a price of yesterday."""
    at = refusing("price")
    at.run()
    at.wait(150)
    at.run()

    assert at.book.state.closed == {}


def test_a_close_and_its_stop_both_refused_come_to_rest() -> None:
    at = refusing("price", (Role.STOP, Role.CLOSE))
    at.sights = {SPY: quoted("97", "97.02")}
    for _ in range(30):
        at.run()
        at.wait(1)

    closing = the(at.book).closing
    assert closing is not None
    assert 3 < closing.refusals < 12


def test_a_stop_somebody_took_away_is_restored_at_growing_intervals() -> None:
    at = desk(*position(10))
    times = []
    for second in range(120):
        at.run()
        for order in at.alive():
            times.append(second)
            at.end(order.broker_id, OrderState.CANCELLED)
        at.wait(1)

    assert times[:4] == [0, 5, 20, 65]


def test_one_taken_away_long_after_is_restored_as_soon_as_the_first() -> None:
    """Found by simulation: days apart or not, the fifth time the position was left to its guard for seven minutes."""
    at = desk(*position(10))
    for _ in range(5):
        at.run()
        (order,) = at.alive()
        at.end(order.broker_id, OrderState.CANCELLED)
        at.run()
        assert not list(at.alive())
        at.wait(6)
        at.run()
        assert list(at.alive())
        at.wait(1500)
