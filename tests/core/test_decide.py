"""Tests of `core/decide.py`: facts before effects, and one order effect of a holding at a time."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.decide import ORDER_EFFECTS, decide, is_silent, look_at, sort_out
from standfast.core.policy import Mode
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.effects import CancelOrder, Decision, ReadOrders, ReplaceOrder, SubmitOrder, Urgency, WakeAt
from standfast.model.ids import BreakId, BrokerOrderId, PositionId, RequestId
from standfast.model.order import Role
from tests.core.situations import (
    NOW,
    QQQ,
    SPY,
    D,
    adopted,
    closing_of,
    exit_intended,
    folded,
    of,
    opening_of,
    position,
    resting_stop,
    ruled,
    situation,
)

STOP = exit_intended(Role.STOP, stop="98")


def test_every_order_effect_brings_the_fact_that_must_be_committed_before_it_leaves() -> None:
    new = exit_intended(Role.STOP, stop="99", attempt=2, replaces=STOP.id)
    cancel = CancelOrder(broker_id=BrokerOrderId("b"), holding=SPY, reason="why")
    submit = SubmitOrder(intent=STOP, urgency=Urgency.PROTECT)
    swap = ReplaceOrder(intent=new, broker_id=BrokerOrderId("b"))
    read, wake = ReadOrders(reason="r"), WakeAt(at=NOW, holding=None)

    decision = sort_out([submit, closing_of(), swap, cancel, read, wake])

    meant = j.CancelIntended(broker_id=BrokerOrderId("b"), holding=SPY, reason="why")
    assert decision.facts == (STOP, closing_of(), new, meant)
    assert decision.effects == (submit, swap, cancel, read, wake)


def test_what_is_sent_once_more_is_not_journaled_once_more() -> None:
    assert sort_out([SubmitOrder(intent=STOP, urgency=Urgency.PROTECT, again=True)]).facts == ()


def test_a_busy_holding_starts_nothing_new() -> None:
    book = folded(*position(10))

    assert [type(e) for e in decide(situation(book), [SPY]).effects if isinstance(e, ORDER_EFFECTS)] == [SubmitOrder]
    busy = decide(situation(book, busy=frozenset({SPY})), [SPY])
    assert [e for e in busy.effects if isinstance(e, ORDER_EFFECTS)] == []
    assert of(j.OrderIntended, busy.facts) == []


def test_nothing_is_decided_about_a_holding_whose_fills_are_still_being_booked() -> None:
    """Half of what one moment brought is what never was: a position settled on it has fills to come."""
    book = folded(*position(10), *position(5, id=PositionId("p2"), holding=QQQ))
    decision = decide(situation(book, booking=frozenset({SPY})), [SPY, QQQ])

    assert {e.holding for e in decision.effects if isinstance(e, WakeAt)} <= {QQQ, None}
    assert [fact.holding for fact in of(j.OrderIntended, decision.facts)] == [QQQ]


kinds = st.lists(st.sampled_from(["held", "closing", "opening", "found", "stopped"]), max_size=4)


@given(kinds, st.sampled_from(list(Mode)), st.sampled_from([0, 5, 10, 20]))
def test_one_look_sends_one_order_of_a_holding_at_most_and_none_outside_repair(
    chosen: list[str], mode: Mode, net: int
) -> None:
    facts: list[j.Fact] = []
    for number, kind in enumerate(chosen):
        id = PositionId(f"p{number + 1}")
        match kind:
            case "opening":
                facts.append(opening_of(5, id=id)[0])
            case "found":
                facts.append(adopted(5, id=id))
            case "closing":
                facts += [*position(5, id=id), closing_of(id)]
            case "stopped":
                facts += [*position(5, id=id), *resting_stop(5, id=id)]
            case _:
                facts += position(5, id=id)
    s = situation(folded(*facts), held={SPY: D(net)}, rules=ruled(mode=mode))

    sent = [each for each in look_at(s, SPY) if isinstance(each, ORDER_EFFECTS)]

    assert len([each for each in sent if not isinstance(each, CancelOrder)]) <= 1
    assert sent == [] or mode is Mode.REPAIR
    assert decide(s, [SPY]) == decide(s, [SPY]), "equal situations, equal decisions"


FLATTEN = j.FlattenRequested(request=RequestId("r"), everything=False, by="operator")
TAKEN = j.RequestTaken(request=RequestId("r"), verb="close", arguments={"position": "p"}, by="operator")
BLIND = Finding(kind=BreakKind.BLIND, holding=None, subject="reads", booked="nothing", reported="no answer")


@pytest.mark.parametrize("said", [[], [FLATTEN], [TAKEN], [j.BreakSeen(id=BreakId("b"), finding=BLIND)]])
@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=1), timedelta(seconds=3), timedelta(seconds=-3)])
@pytest.mark.parametrize("blind", [None, NOW - timedelta(seconds=30)])
def test_whoever_is_silent_has_nothing_to_decide_about_the_account(
    said: list[j.Fact], ahead: timedelta, blind: datetime | None
) -> None:
    book = folded(*position(10), *said)

    decision = decide(situation(book, clock_ahead=ahead, blind_since=blind), [])

    assert is_silent(book, ahead, blind) == (not said and abs(ahead) < timedelta(seconds=2) and blind is None)
    if is_silent(book, ahead, blind):
        assert decision == Decision((), ())
