"""Tests of `core/freeing.py`: what gives way to a close, what blocks it, and when it is put off."""

from datetime import timedelta
from typing import Any

import pytest

from standfast.core.closing import advance_closing
from standfast.core.cover import UNHEARD, cover_of, is_let_go
from standfast.core.freeing import blocked
from standfast.core.protect import protect
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, ReadPositions, SubmitOrder
from standfast.model.ids import BrokerOrderId, PositionId
from standfast.model.order import OrderReport, OrderState, OrderType, Role, Side
from standfast.model.position import CloseReason, Standing
from tests.core.booking import LOT, foreign_lot
from tests.core.situations import (
    NOW,
    SPY,
    D,
    P,
    after,
    closing_of,
    exit_intended,
    fill,
    folded,
    of,
    opening_of,
    own_id,
    position,
    report,
    resting_stop,
    situation,
    the,
    told,
    with_contract,
)
from tests.core.toy_broker import desk

QUEUED = report("theirs", quantity=10, closes=True)
"""A sale at the market of somebody else that waits for its moment and holds the quantity."""
TAKEN_AWAY = j.CancelIntended(broker_id=BrokerOrderId(f"{P}-stop-1"), holding=SPY, reason="test")


def step(s: Situation) -> list[Any]:
    return list(advance_closing(s, the(s.book)))


def closing_beside(listed: OrderReport, **changes: Any) -> Situation:
    return situation(folded(*position(10), *resting_stop(10), closing_of()), listed=[listed], **changes)


# --- what others rest -----------------------------------------------------------------------------


def test_an_order_nothing_ties_to_the_position_is_left_alone_named_and_the_stop_stays() -> None:
    s = closing_beside(QUEUED)

    outcomes = step(s)

    assert of(CancelOrder, outcomes) == of(SubmitOrder, outcomes) == []
    (alarm,) = of(j.AlertRaised, outcomes)
    assert "theirs" in alarm.text
    assert "holds 10" in alarm.text
    assert "standfast flatten" in alarm.text
    assert of(CancelOrder, protect(s, the(s.book))) == []


def test_it_is_told_once_and_again_when_it_is_another() -> None:
    s = closing_beside(QUEUED)
    (alarm,) = of(j.AlertRaised, step(s))
    told(s.book, alarm)
    assert of(j.AlertRaised, step(closing_again(s, QUEUED))) == []
    assert of(j.AlertRaised, step(closing_again(s, report("another", quantity=10)))) != []


def closing_again(s: Situation, listed: OrderReport) -> Situation:
    return situation(s.book, listed=[listed])


def test_beside_what_others_reserve_a_stop_rests_for_what_is_free() -> None:
    for reserved, rests in ((4, [D(6)]), (10, [])):
        book = folded(*position(10))
        s = situation(book, listed=[report("theirs", quantity=reserved, closes=True)])
        assert [each.intent.terms.quantity for each in of(SubmitOrder, protect(s, the(book)))] == rests


def found_with_a_target(quantity: int, target: int) -> list[j.Fact]:
    """What a bot has bought, with a target of its own that came with the entry, or was left of it."""
    leg = report("target", quantity=target, type=OrderType.LIMIT, limit="120", order_class="oto")
    entry = report("entry", side=Side.BUY, quantity=quantity, filled=quantity, state=OrderState.FILLED, legs=(leg,))
    lot = j.LotFound(
        position=P, holding=SPY, sign=1, standing=Standing.ADOPTED, strategy="foreign", order=entry.broker_id
    )
    booked = j.FillBooked(
        fill=fill("x1", "entry", Side.BUY, quantity, 100),
        allocations=(j.Allocation(position=P, quantity=D(quantity), opens=True),),
    )
    return [j.OrderObserved(report=entry), lot, booked]


def test_beside_the_target_a_bot_brought_a_stop_rests_for_what_is_left_of_its_own_lot() -> None:
    """What another position here has free is not its own. Found by simulation."""
    for target, rests in ((4, [D(6)]), (10, [])):
        book = folded(*position(20, id=PositionId("p2")), *found_with_a_target(10, target))
        sent = of(SubmitOrder, protect(situation(book), book.state.positions[P]))
        assert [each.intent.terms.quantity for each in sent] == rests


def test_a_stop_goes_when_the_target_a_bot_brought_comes_to_hold_the_same() -> None:
    """Placed while the entry still filled; left there it holds what is another position's. Found by simulation."""
    book = folded(*position(20, id=PositionId("p2")), *found_with_a_target(10, 10), *resting_stop(6))
    (cancelled,) = of(CancelOrder, protect(situation(book), book.state.positions[P]))
    assert cancelled.broker_id == f"{P}-stop-1"


def test_what_is_free_is_closed() -> None:
    s = situation(folded(*position(10), closing_of()), listed=[report("theirs", quantity=4)])

    (sent,) = of(SubmitOrder, step(s))

    assert sent.intent.terms.quantity == 6


def test_an_order_that_may_be_of_somebody_elses_quantity_blocks_nothing() -> None:
    book = folded(*position(10), closing_of())
    placed_while_flat = situation(book, listed=[report("theirs", quantity=4, closes=False)])
    assert blocked(placed_while_flat, the(book)) == 4, "it was to open once, and holds the quantity now"
    told(book, j.ForeignAcknowledged(holding=SPY, quantity=D(3), by="op"))
    assert blocked(situation(book, listed=[report("theirs", quantity=4)]), the(book)) == 1
    assert blocked(situation(book, listed=[report("theirs", quantity=3)]), the(book)) == 0


def test_a_stop_of_others_for_more_than_is_left_of_their_lot_holds_that_much_of_ours() -> None:
    """Found by simulation: the whole close was asked for, and refused for ever."""
    stop = report("stop", type=OrderType.STOP, stop="90", quantity=15, order_class="oto")
    entry = report("theirs", side=Side.BUY, quantity=15, filled=15, state=OrderState.FILLED, legs=(stop,))
    sold = j.FillBooked(
        fill=fill("x2", "sale", Side.SELL, 4, 100),
        allocations=(j.Allocation(position=LOT, quantity=D(4), opens=False),),
    )
    facts = [*position(10), *foreign_lot(15), sold, j.OrderObserved(report=entry, position=LOT), closing_of()]
    s = situation(folded(*facts), listed=[stop])

    outcomes = step(s)

    (sent,) = of(SubmitOrder, outcomes)
    (alarm,) = of(j.AlertRaised, outcomes)
    assert sent.intent.terms.quantity == 6
    assert "stop (client of stop: sell 15 stop) holds 4" in alarm.text


def test_a_target_a_bot_brought_for_more_than_is_left_of_its_lot_holds_that_much_of_another() -> None:
    """Found by simulation: both are guarded; of the other one the whole close was asked for, and refused for ever."""
    sold = j.FillBooked(
        fill=fill("x2", "sale", Side.SELL, 4, 100),
        allocations=(j.Allocation(position=P, quantity=D(4), opens=False),),
    )
    other = PositionId("p2")
    book = folded(*position(10, id=other), *found_with_a_target(15, 15), sold, closing_of(other))
    target = report("target", quantity=15, type=OrderType.LIMIT, limit="120", order_class="oto")
    s = situation(book, listed=[target], held={SPY: 21})

    outcomes = list(advance_closing(s, book.state.positions[other]))

    (sent,) = of(SubmitOrder, outcomes)
    (alarm,) = of(j.AlertRaised, outcomes)
    assert sent.intent.terms.quantity == 6
    assert "holds 4" in alarm.text


@pytest.mark.parametrize(
    ("known", "named"),
    [(True, "bracket"), (True, ""), (False, "bracket")],
    ids=["seen with their entry", "of a broker that does not say what they are", "only listed"],
)
def test_target_and_stop_of_a_bracket_of_others_hold_their_quantity_once(*, known: bool, named: str) -> None:
    """Beside ours somebody holds 6 with a bracket: both legs are listed, each for 6."""
    legs = (
        report("target", type=OrderType.LIMIT, limit="120", quantity=6, order_class=named),
        report("stop", type=OrderType.STOP, stop="90", quantity=6, order_class=named),
    )
    book = folded(*position(10), closing_of(), j.ForeignAcknowledged(holding=SPY, quantity=D(6), by="policy"))
    if known:
        entry = report("entry", side=Side.BUY, quantity=6, filled=6, state=OrderState.FILLED, legs=legs)
        told(book, j.OrderObserved(report=entry))

    s = situation(book, listed=legs, held={SPY: 16})

    assert blocked(s, the(book)) == 0
    (sent,) = of(SubmitOrder, step(s))
    assert sent.intent.terms.quantity == 10


def test_a_broker_that_reserves_nothing_blocks_nothing() -> None:
    s = closing_beside(QUEUED, contract=with_contract(reserves_quantity=False))
    assert of(CancelOrder, step(s)) != []


def test_when_what_blocked_it_is_gone_the_close_goes_on_by_itself() -> None:
    at = desk(*position(10))
    at.run()
    at.orders[QUEUED.broker_id] = QUEUED
    at.read()
    at.tell(closing_of())
    at.run()
    assert at.net[SPY] == 10

    del at.orders[QUEUED.broker_id]
    at.read()
    at.wait(1)
    at.run()

    assert [p.close_reason for p in at.book.state.closed.values()] == [CloseReason.OPERATOR]
    assert (at.net[SPY], at.over) == (D(0), [])


def test_an_exit_tied_by_what_it_says_it_closes_gives_way() -> None:
    book = folded(*position(10), closing_of())
    theirs = report("theirs", type=OrderType.STOP, stop="90", closes=True)
    told(book, j.OrderObserved(report=theirs, position=P, role=Role.FOREIGN))

    assert [each.broker_id for each in of(CancelOrder, step(situation(book, listed=[theirs])))] == ["theirs"]


# --- an exit nobody can read ----------------------------------------------------------------------


def cancelled(seconds: float, **changes: Any) -> Situation:
    """A position whose stop was to be cancelled so long ago, and of which nothing has been read since."""
    book = folded(*position(10), *resting_stop(10), closing_of(), TAKEN_AWAY)
    return situation(book, now=after(seconds), **{"asked_after": book.head - 1, **changes})


def comparable(s: Situation) -> Situation:
    """The same, with the broker's positions read anew and its orders not."""
    return situation(s.book, now=s.now, asked_after=s.book.head, listed=[], heard=s.heard, failing=s.failing)


def test_an_exit_nobody_can_read_is_left_to_the_brokers_own_check_after_a_moment() -> None:
    (order,) = (o for o in cancelled(0).book.orders_for(P) if o.role is Role.STOP)
    soon, late = UNHEARD.total_seconds() - 0.1, UNHEARD.total_seconds()

    assert not is_let_go(cancelled(soon), order)
    assert is_let_go(cancelled(late), order)
    assert cover_of(cancelled(late), the(cancelled(late).book)).own == ()
    assert not is_let_go(cancelled(late, heard={order.id: after(0.5)}), order), "it was read: its state is known"
    assert not is_let_go(cancelled(late, contract=with_contract(checks_closing=False)), order)
    listed = report(f"{P}-stop-1", client=order.id, type=OrderType.STOP, stop="98")
    assert not is_let_go(cancelled(late, listed=[listed], asked_after=cancelled(0).book.head), order)


def test_a_start_gives_the_reads_the_same_moment_again_before_an_exit_is_left_to_the_broker() -> None:
    """Whether it had been read since its cancel is not in the journal: it may have been, and be as it was."""
    book = cancelled(0).book
    told(book, j.GuardStarted(version="1", mode="repair"), at=after(60))
    (order,) = (o for o in book.orders_for(P) if o.role is Role.STOP)

    def at_start(seconds: float) -> Situation:
        return situation(book, now=after(60 + seconds), asked_after=order.number - 1)

    assert not is_let_go(at_start(0.1), order)
    assert is_let_go(at_start(UNHEARD.total_seconds()), order)


def test_its_close_is_then_sent_and_the_broker_says_whether_it_may() -> None:
    (sent,) = of(SubmitOrder, step(comparable(cancelled(2))))
    assert (sent.intent.role, sent.intent.terms.side, sent.intent.terms.quantity) == (Role.CLOSE, Side.SELL, D(10))


def test_after_a_refusal_the_cancel_is_asked_for_again() -> None:
    s = cancelled(2)
    told(s.book, j.CloseStalled(position=P, reason="refused"), at=after(2))
    waited = situation(s.book, now=after(4), asked_after=s.book.head)

    assert [each.broker_id for each in of(CancelOrder, step(waited))] == [TAKEN_AWAY.broker_id]


def test_a_close_that_cannot_be_sized_frees_nothing() -> None:
    book = folded(*position(10), *resting_stop(10), closing_of())
    outcomes = step(situation(book, asked_after=book.head - 1, failing=frozenset({"positions"})))

    assert of(CancelOrder, outcomes) == []
    assert len(of(ReadPositions, outcomes)) == 1


def test_one_that_has_freed_its_exits_already_is_put_off_and_they_go_back() -> None:
    s = cancelled(0)
    told(s.book, j.NakedBegan(position=P))
    blind: dict[str, Any] = {"asked_after": s.book.head - 1, "failing": frozenset({"positions"})}
    assert of(j.CloseStalled, step(situation(s.book, now=after(2), **blind))) == []

    (stalled,) = of(j.CloseStalled, step(situation(s.book, now=after(3), **blind)))
    told(s.book, stalled, at=after(3))

    (back,) = of(SubmitOrder, protect(situation(s.book, now=after(3), **blind), the(s.book)))
    assert (back.intent.id, back.intent.terms.quantity) == (own_id(Role.STOP, 2), D(10))
    closing = the(s.book).closing
    assert closing is not None
    assert closing.again_at == NOW + timedelta(seconds=4)


def test_a_person_is_told_of_a_close_that_waits_for_its_reads() -> None:
    book = folded(*position(10), closing_of())
    blind: dict[str, Any] = {"asked_after": book.head - 1, "failing": frozenset({"positions"})}
    assert of(j.AlertRaised, step(situation(book, now=after(14), **blind))) == []
    (alarm,) = of(j.AlertRaised, step(situation(book, now=after(15), **blind)))
    assert "cannot be read" in alarm.text


def test_entries_of_ours_that_a_broker_takes_for_a_wash_trade_give_way_to_a_close_and_to_a_stop() -> None:
    """An entry of another position of ours: it would keep this one bare and held for as long as it rests."""
    other = PositionId("p2")
    entry = opening_of(5, id=other, limit=D(90))
    refused = j.OrderRejected(id=own_id(Role.CLOSE), reason="wash trade", kind="wash_trade")
    book = folded(*position(10), *entry, closing_of(), exit_intended(Role.CLOSE), refused)

    assert [each.broker_id for each in of(CancelOrder, step(situation(book, now=after(1))))] == [f"{other}-open"]

    stop = exit_intended(Role.STOP, stop="98")
    book = folded(*position(10), *entry, stop, j.OrderRejected(id=stop.id, reason="wash trade", kind="wash_trade"))
    asked = of(CancelOrder, protect(situation(book, now=after(1)), the(book)))
    assert [each.broker_id for each in asked] == [f"{other}-open"]
