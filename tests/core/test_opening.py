"""Tests of `core/opening.py`."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from standfast.core.opening import SEND_WITHIN, advance_opening
from standfast.core.policy import HeldBy, Mode, Policy
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, SubmitOrder, Urgency
from standfast.model.ids import BrokerOrderId, PositionId, RequestId
from standfast.model.order import OrderState, OrderType, Role, Side, Terms, TimeInForce
from standfast.model.position import CloseReason, Phase
from tests.core.situations import (
    SPY,
    D,
    P,
    after,
    closing_of,
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
)
from tests.core.toy_broker import desk


def asked_for(quantity: str | int = 10, **changes: Any) -> j.Fact:
    return opening_of(quantity, **changes)[0]


def look(s: Situation) -> list[Any]:
    return list(advance_opening(s, the(s.book)))


def test_an_opening_is_sent_once_under_an_id_that_is_always_the_same() -> None:
    book = folded(asked_for())

    (sent,) = look(situation(book))

    assert sent.urgency is Urgency.OPEN
    assert sent.intent.id == own_id(Role.OPEN)
    assert sent.intent.terms == Terms(
        side=Side.BUY, quantity=D(10), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False
    )
    told(book, sent.intent)
    assert look(situation(book)) == []


def test_a_limit_and_a_short_are_what_was_asked_for() -> None:
    (sent,) = look(situation(folded(asked_for(-3, limit=Decimal("101.5")))))

    assert (sent.intent.terms.side, sent.intent.terms.quantity) == (Side.SELL, D(3))
    assert (sent.intent.terms.type, sent.intent.terms.limit_price) == (OrderType.LIMIT, D("101.5"))


def test_beside_a_resting_stop_an_opening_brings_its_own_stop() -> None:
    second = PositionId("p2")
    book = folded(*position(10), *resting_stop(10, "98"), asked_for(5, id=second))
    s = situation(book, sights={SPY: quoted("103.99", "104")})

    (sent,) = advance_opening(s, the(book, second))

    assert isinstance(sent, SubmitOrder)
    assert sent.intent.terms.attached_stop == D("101.92")


@pytest.mark.parametrize(
    "policy",
    [
        Policy(name="both", held_by=HeldBy.BOTH, stop_loss=D("0.02"), emergency_stop=D("0.10")),
        Policy(name="young", stop_loss=D("0.02"), emergency_stop=D("0.10"), minimum_hold=timedelta(minutes=5)),
        Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02"), emergency_stop=D("0.10")),
    ],
    ids=lambda policy: policy.name,
)
def test_the_stop_it_brings_stands_no_nearer_than_the_one_that_shall_rest(policy: Policy) -> None:
    """Else it fires where none should, at once where the spread is wide. Found by simulation."""
    second = PositionId("p2")
    book = folded(*position(10), *resting_stop(10, "98"), asked_for(5, id=second))
    s = situation(book, policy=policy, sights={SPY: quoted("99.50", "100")})

    (sent,) = of(SubmitOrder, advance_opening(s, the(book, second)))

    assert sent.intent.terms.attached_stop == D(90)


def test_outside_repair_nothing_is_opened() -> None:
    assert look(situation(folded(asked_for()), rules=ruled(mode=Mode.ALERT))) == []


def test_an_opening_that_could_not_be_sent_in_time_is_not_sent_any_more() -> None:
    """After a crash or a halt the market it was meant for is gone."""
    book = folded(asked_for())

    assert len(of(SubmitOrder, look(situation(book, now=after(SEND_WITHIN.total_seconds()))))) == 1
    (ended,) = look(situation(book, now=after(SEND_WITHIN.total_seconds() + 1)))

    assert isinstance(ended, j.PositionSettled)
    assert (ended.reason, ended.proof) == (CloseReason.ROLLBACK, "never sent: it was asked for more than 30 s ago")


def test_an_opening_withdrawn_before_it_was_sent_leaves_the_books() -> None:
    (ended,) = look(situation(folded(asked_for(), closing_of())))

    assert isinstance(ended, j.PositionSettled)
    assert ended.proof == "never sent: its close was asked for first"


def test_a_flatten_stops_what_was_not_sent_yet() -> None:
    flatten = j.FlattenRequested(request=RequestId("r"), everything=False, by="op")

    (ended,) = look(situation(folded(asked_for(), flatten)))

    assert isinstance(ended, j.PositionSettled)
    assert ended.proof == "never sent: the account is being flattened"


def test_a_close_while_the_entry_works_cancels_it_and_closes_what_it_filled() -> None:
    at = desk(asked_for(), fills_markets=False)
    at.run()
    (entry,) = at.alive()
    at.fill(entry.broker_id, D(4))
    at.run()

    at.fills_markets = True
    at.tell(closing_of())
    at.run()

    (closed,) = at.book.state.closed.values()
    assert (closed.opened, closed.closed, closed.close_reason) == (D(4), D(4), CloseReason.OPERATOR)
    assert at.alive() == []
    assert at.over == []
    assert entry.broker_id in {effect.broker_id for effect in of(CancelOrder, at.sent)}


def test_an_entry_filled_in_part_and_then_cancelled_is_an_open_position_of_what_it_filled() -> None:
    at = desk(asked_for(), fills_markets=False)
    at.run()
    (entry,) = at.alive()
    at.fill(entry.broker_id, D(4))
    at.end(entry.broker_id, OrderState.CANCELLED)
    at.run()

    held = the(at.book)
    assert (held.phase, held.held) == (Phase.OPEN, D(4))
    assert [(o.type, o.remaining) for o in at.alive()] == [(OrderType.STOP, D(4))]


def test_an_entry_that_was_refused_leaves_the_books_with_the_brokers_words() -> None:
    at = desk(asked_for(), refuses=lambda effect: "buying_power")
    at.run()

    (closed,) = at.book.state.closed.values()
    assert closed.proof == f"nothing filled: {own_id(Role.OPEN)} refused"
    assert at.book.state.positions == {}


def test_what_filled_before_its_cancel_arrived_is_a_position_whatever_the_cancel_said() -> None:
    filled = report(
        "p1-open", client=own_id(Role.OPEN), side=Side.BUY, filled=6, state=OrderState.CANCELLED, average_price=D(100)
    )
    book = folded(
        *opening_of(10),
        j.CancelIntended(broker_id=BrokerOrderId("p1-open"), holding=SPY, reason="withdrawn"),
        j.OrderObserved(report=filled, position=P, role=Role.OPEN),
    )

    assert book.held(the(book)) == D(6)
    assert the(book).phase is Phase.OPENING


def test_an_entry_that_rests_against_what_has_come_to_be_held_is_cancelled() -> None:
    """It could only take it off, and the broker holds for it what stop and close of the other need."""
    other = PositionId("p2")
    entry = opening_of(5, limit=D(90))
    book = folded(*entry, *position(-10, id=other))

    assert [each.broker_id for each in of(CancelOrder, look(situation(book)))] == [f"{P}-open"]
    beside = folded(*entry, *position(10, id=other))
    assert of(CancelOrder, look(situation(beside))) == []
