"""Tests of `core/protect.py`, on a toy broker that keeps its word."""

from decimal import Decimal
from typing import Any

import pytest

from standfast.core.policy import HeldBy, Policy
from standfast.core.protect import protect
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, ReplaceOrder, SubmitOrder
from standfast.model.ids import BrokerOrderId, PositionId
from standfast.model.order import OrderState, OrderType, Role, Side
from standfast.model.position import Standing, Trail
from tests.core.situations import (
    SPY,
    D,
    P,
    adopted,
    closing_of,
    exit_intended,
    fill,
    folded,
    of,
    opening_of,
    own_id,
    position,
    quoted,
    report,
    resting_stop,
    ruled,
    situation,
    the,
    told,
    with_contract,
)
from tests.core.toy_broker import Desk, desk

STOP = Policy(name="stop", stop_loss=D("0.02"))
PAIR = Policy(name="pair", stop_loss=D("0.02"), take_profit=D("0.1"))
GUARD = Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02"))
BOTH = Policy(name="both", held_by=HeldBy.BOTH, stop_loss=D("0.02"), emergency_stop=D("0.1"))
TARGET = Policy(name="target", take_profit=D("0.1"))


def rests(desk: Desk) -> list[tuple[OrderType, Decimal, Decimal | None, Decimal | None]]:
    return [(o.type, o.remaining, o.stop_price, o.limit_price) for o in desk.alive()]


# --- what rests ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (STOP, [(OrderType.STOP, D(10), D(98), None)]),
        (PAIR, [(OrderType.LIMIT, D(10), None, D(110))]),
        (GUARD, []),
        (BOTH, [(OrderType.STOP, D(10), D(90), None)]),
        (TARGET, [(OrderType.LIMIT, D(10), None, D(110))]),
    ],
    ids=lambda value: value.name if isinstance(value, Policy) else "",
)
def test_what_rests_is_what_the_policy_asks_for(
    policy: Policy, expected: list[tuple[OrderType, Decimal, Decimal | None, Decimal | None]]
) -> None:
    at = desk(*position(10), rules=ruled(policy))

    at.run()

    assert rests(at) == expected
    assert at.over == []


def test_a_stop_and_a_target_are_one_pair_with_one_quantity() -> None:
    at = desk(*position(10), rules=ruled(PAIR))

    at.run()

    (pair,) = at.alive()
    assert [(leg.type, leg.stop_price, leg.remaining) for leg in pair.legs] == [(OrderType.STOP, D(98), D(10))]


def test_a_short_is_stopped_above_and_bought_back() -> None:
    at = desk(*position(-10))

    at.run()

    assert [(o.side, o.stop_price, o.remaining) for o in at.alive()] == [(Side.BUY, D(102), D(10))]


def test_an_entry_still_filling_is_protected_for_what_it_has() -> None:
    shown = report("p1-open", client=own_id(Role.OPEN), side=Side.BUY, quantity=10, filled=4, average_price=D(100))
    book = folded(*opening_of(10), j.OrderObserved(report=shown, position=P, role=Role.OPEN))

    (sent,) = of(SubmitOrder, protect(situation(book, held={SPY: 4}), the(book)))

    assert (sent.intent.terms.quantity, sent.intent.terms.stop_price) == (D(4), D(98))


def test_only_whole_shares_rest_where_the_broker_takes_no_fractions() -> None:
    at = desk(*position("10.5"))
    fractional = desk(*position("10.5"), contract=with_contract(fractional_stops=True))
    crumb = desk(*position("0.5"))

    for each in (at, fractional, crumb):
        each.run()

    assert [o.remaining for o in at.alive()] == [D(10)]
    assert [o.remaining for o in fractional.alive()] == [D("10.5")]
    assert crumb.alive() == []


def test_what_was_found_is_protected_from_its_anchor() -> None:
    at = desk(adopted(10, 100, anchor="80"))

    at.run()

    assert rests(at) == [(OrderType.STOP, D(10), D("78.40"), None)]


def test_nothing_is_placed_outside_repair_or_for_what_is_foreign_bare_or_suspended() -> None:
    foreign = j.StandingChanged(position=P, standing=Standing.FOREIGN, by="op")
    bare = j.ProtectionChosen(position=P, stop=None, target=None, bare=True, by="op")
    for fact in (foreign, bare, j.PricesSuspended(holding=SPY, reason="split?")):
        at = desk(*position(10), fact)
        at.run()
        assert at.sent == [], fact
    halted = folded(*position(10))
    assert list(protect(situation(halted, halted=True), the(halted))) == []


def test_what_we_placed_for_a_position_goes_when_it_is_declared_foreign() -> None:
    at = desk(*position(10))
    at.run()

    at.tell(j.StandingChanged(position=P, standing=Standing.FOREIGN, by="op"))
    at.run()

    assert at.alive() == []


# --- changes ------------------------------------------------------------------------------------


def test_a_stop_that_moved_is_replaced_in_place() -> None:
    at = desk(*position(10), sights={SPY: quoted("111")})
    at.run()

    at.tell(j.TrailMoved(position=P, trail=Trail(rung=0, peak=D("0.1"), stop=D("0.05"))))
    at.run()

    assert len(of(ReplaceOrder, at.sent)) == 1
    assert rests(at) == [(OrderType.STOP, D(10), D(105), None)]


@pytest.mark.parametrize("kind", ["price", "not_sent", "rate_limited"])
def test_a_stop_is_kept_while_the_broker_refuses_its_move_for_what_no_other_way_would_escape(kind: str) -> None:
    """As a minimum hold ends the emergency stop is to become the stop loss, and the price is too near to that."""
    at = desk(*position(10), sights={SPY: quoted("111")})
    at.run()
    at.tell(j.TrailMoved(position=P, trail=Trail(rung=0, peak=D("0.1"), stop=D("0.05"))))
    at.refuses = lambda effect: kind
    for _ in range(60):
        at.run()
        assert rests(at) == [(OrderType.STOP, D(10), D(98), None)]
        at.wait(1)

    at.refuses = lambda effect: ""
    at.wait(60)
    at.run()

    assert rests(at) == [(OrderType.STOP, D(10), D(105), None)]


def test_a_pair_is_kept_while_the_price_is_at_the_new_stop() -> None:
    """A pair cannot be changed in place: taken away first, it would leave the position bare."""
    at = desk(*position(10), rules=ruled(PAIR), sights={SPY: quoted("106")})
    at.run()
    at.tell(j.TrailMoved(position=P, trail=Trail(rung=0, peak=D("0.1"), stop=D("0.05"))))
    at.sights = {SPY: quoted("104", "107.50")}  # too wide to be trusted, and beyond the new stop

    at.run()

    assert [(order.stop_price, order.limit_price) for order in at.alive()] == [(None, D(110))]
    assert of(CancelOrder, at.sent) == []


def test_while_a_replace_is_on_its_way_the_pair_counts_once_and_nothing_is_done() -> None:
    """The new order is accepted before the old one reads `replaced`: neither is surplus."""
    new = exit_intended(Role.STOP, stop="99", attempt=2, replaces=own_id(Role.STOP, 1))
    shown = report("p1-stop-2", client=new.id, type=OrderType.STOP, stop="99")
    book = folded(
        *position(10),
        *resting_stop(10, "98"),
        new,
        j.OrderAccepted(id=new.id, broker_id=BrokerOrderId("p1-stop-2")),
        j.OrderObserved(report=shown, position=P, role=Role.STOP),
    )

    assert list(protect(situation(book), the(book))) == []


def test_a_partial_close_shrinks_the_stop_before_anything_is_added() -> None:
    at = desk(*position(10))
    at.run()

    at.fill(at.alive()[0].broker_id, D(4))
    at.run()
    assert [o.remaining for o in at.alive()] == [D(6)]

    at.tell(closing_of(remain=2))
    at.run()
    assert [o.remaining for o in at.alive()] == [D(2)]
    assert at.over == []


def test_a_scale_in_is_covered_beside_what_rests() -> None:
    at = desk(*position(10))
    at.run()
    second = PositionId("p2")
    at.tell(*position(5, id=second, at=at.now))
    at.net[SPY] = D(15)

    at.run()

    assert sorted(o.remaining for o in at.alive()) == [D(5), D(10)]


def test_more_than_is_held_is_taken_away_first() -> None:
    at = desk(*position(10), *resting_stop(10), *resting_stop(8, attempt=2))
    for attempt, quantity in ((1, 10), (2, 8)):
        id = BrokerOrderId(f"p1-stop-{attempt}")
        at.orders[id] = report(id, client=own_id(Role.STOP, attempt), type=OrderType.STOP, stop="98", quantity=quantity)

    at.run()

    assert rests(at) == [(OrderType.STOP, D(10), D(98), None)]
    assert [type(effect) for effect in at.sent] == [CancelOrder]


def test_the_brokers_own_bracket_counts_as_cover() -> None:
    leg = report("leg", type=OrderType.STOP, stop="95", state=OrderState.HELD, order_class="bracket")
    parent = report("theirs", side=Side.BUY, filled=10, state=OrderState.FILLED, legs=(leg,), order_class="bracket")
    found = j.LotFound(
        position=P,
        holding=SPY,
        sign=1,
        standing=Standing.ADOPTED,
        strategy="x",
        order=BrokerOrderId("theirs"),
    )
    book = folded(adopted(10), j.OrderObserved(report=parent), found, adopted(10))

    assert list(protect(situation(book), the(book))) == []


def test_nothing_is_added_beside_an_order_of_unknown_type() -> None:
    strange = report("s", type=OrderType.UNKNOWN)
    book = folded(adopted(10))

    assert list(protect(situation(book, listed=[strange]), the(book))) == []


def test_a_stop_attached_to_an_entry_is_neither_cover_nor_surplus_before_the_entry_is_done() -> None:
    leg = report("leg", type=OrderType.STOP, stop="98", state=OrderState.HELD, quantity=10)
    shown = report("p1-open", client=own_id(Role.OPEN), side=Side.BUY, filled=4, average_price=D(100), legs=(leg,))
    book = folded(*opening_of(10), j.OrderObserved(report=shown, position=P, role=Role.OPEN))

    sent = list(protect(situation(book, held={SPY: 4}), the(book)))

    assert of(CancelOrder, sent) == []
    assert [effect.intent.terms.quantity for effect in of(SubmitOrder, sent)] == [D(4)]


def test_the_stop_of_an_entry_that_has_filled_is_not_taken_away_before_the_fill_is_read() -> None:
    """It has come to life, so the entry has filled: the very answer that shows it still says that nothing has."""
    leg = report("leg", type=OrderType.STOP, stop="98", quantity=4)
    shown: dict[str, Any] = {"client": own_id(Role.OPEN), "side": Side.BUY, "quantity": 4, "legs": (leg,)}
    early = j.OrderObserved(report=report(f"{P}-open", **shown), position=P, role=Role.OPEN)
    book = folded(*opening_of(4), early)
    assert list(protect(situation(book, listed=[leg]), the(book))) == []

    filled = report(f"{P}-open", filled=4, state=OrderState.FILLED, average_price=D(100), **shown)
    told(book, j.OrderObserved(report=filled, position=P, role=Role.OPEN))
    assert list(protect(situation(book, listed=[leg]), the(book))) == []


def test_nothing_is_placed_for_one_position_where_an_exit_in_doubt_may_take_more_than_another_still_holds() -> None:
    """Six were held when the stop left; three were sold, and three bought again. Should it arrive, all are covered."""
    second = PositionId("p2")
    stop = exit_intended(Role.STOP, 6, stop="98")
    parts = (j.Allocation(position=P, quantity=D(3), opens=False),)
    sold = j.FillBooked(fill=fill("sold", "theirs", Side.SELL, 3, 100), allocations=parts)
    book = folded(*position(6), stop, j.OrderInDoubt(id=stop.id, reason=""), sold, *position(3, id=second))
    assert of(SubmitOrder, protect(situation(book), the(book, second))) == []

    told(book, j.OrderNeverArrived(id=stop.id, reason=""))
    (placed,) = of(SubmitOrder, protect(situation(book), the(book, second)))
    assert placed.intent.terms.quantity == D(3)


def test_what_another_position_holds_its_own_exits_may_take() -> None:
    """A stop that moves counts once, and one that waits for its entry not yet."""
    second = PositionId("p2")
    leg = report("leg", type=OrderType.STOP, stop="95", quantity=4, state=OrderState.HELD)
    entry = report("entry", client=own_id(Role.OPEN, 1, PositionId("p3")), side=Side.BUY, quantity=4, legs=(leg,))
    opening = [
        *opening_of(4, id=PositionId("p3")),
        j.OrderObserved(report=entry, position=PositionId("p3"), role=Role.OPEN),
    ]
    moved = exit_intended(Role.STOP, stop="97", attempt=2, replaces=own_id(Role.STOP))
    book = folded(*position(10), *resting_stop(10), moved, *opening, *position(3, id=second))
    (placed,) = of(SubmitOrder, protect(situation(book), the(book, second)))
    assert placed.intent.terms.quantity == D(3)


# --- beside a close -----------------------------------------------------------------------------


def test_a_refused_close_is_protected_until_it_is_tried_again_and_then_gets_out() -> None:
    left = ["other"]
    at = desk(*position(10))
    at.refuses = lambda effect: left.pop() if left and effect.intent.role is Role.CLOSE else ""
    at.run()

    at.tell(closing_of())
    at.run()
    assert rests(at) == [(OrderType.STOP, D(10), D(98), None)]

    at.wait(1)
    at.run()
    assert at.book.state.positions == {}
    assert at.over == []


def test_what_a_partial_close_leaves_is_protected_while_the_close_works() -> None:
    at = desk(*position(10), fills_markets=False)
    at.run()

    at.tell(closing_of(remain=6))
    at.run()

    assert [(o.type, o.remaining) for o in at.alive()] == [(OrderType.MARKET, D(4)), (OrderType.STOP, D(6))]
    assert at.over == []


def test_a_close_the_session_cut_off_is_protected_over_night() -> None:
    at = desk(*position(10), fills_markets=False)
    at.run()
    at.tell(closing_of())
    at.run()
    (close,) = at.alive()

    at.is_open = False
    at.end(close.broker_id, OrderState.EXPIRED)
    for _ in range(5):
        at.run()
        at.wait(10)

    assert rests(at) == [(OrderType.STOP, D(10), D(98), None)]


def test_a_close_nobody_wants_any_more_is_cancelled_and_then_all_is_covered_again() -> None:
    at = desk(*position(10), fills_markets=False)
    at.run()
    at.tell(closing_of())
    at.run()

    at.tell(j.CloseWithdrawn(position=P, reason="undone"))
    at.run()

    assert rests(at) == [(OrderType.STOP, D(10), D(98), None)]
    assert at.over == []
