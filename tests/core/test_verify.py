"""Tests of `core/verify.py`: what is in doubt is asked for by id, and by nothing else."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from standfast.core.book import Book
from standfast.core.cover import is_listed
from standfast.core.verify import doubts
from standfast.model import journal as j
from standfast.model.contract import Contract
from standfast.model.effects import QueryOrder, ReadActivities, SubmitOrder, Urgency, WakeAt
from standfast.model.ids import BrokerOrderId, PositionId
from standfast.model.order import OrderState, OrderType, Role, Side
from tests.core.situations import (
    CONTRACT,
    SPY,
    P,
    after,
    exit_intended,
    folded,
    of,
    opening_of,
    own_id,
    position,
    report,
    resting_stop,
    situation,
    told,
    with_contract,
)

STOP = exit_intended(Role.STOP, stop="98")
NOT_UNIQUE = with_contract(unique_ids=False)


def doubtful(*facts: j.Fact, order: j.OrderIntended = STOP) -> Book:
    return folded(*position(10), order, j.OrderInDoubt(id=order.id, reason="timeout"), *facts)


def look(book: Book, seconds: float = 0, *, contract: Contract = CONTRACT, **changes: Any) -> list[Any]:
    s = situation(book, now=after(seconds), contract=contract, **changes)
    return [each for each in doubts(s, SPY) if not isinstance(each, WakeAt)]


def missing(times: int) -> list[j.Fact]:
    return [j.OrderMissing(id=STOP.id)] * times


def test_what_is_in_doubt_is_asked_for_by_our_id() -> None:
    (asked,) = look(doubtful())

    assert isinstance(asked, QueryOrder)
    assert (asked.client_id, asked.broker_id, asked.reason) == (STOP.id, None, "in_doubt: did it arrive?")


def test_questions_are_asked_at_growing_intervals() -> None:
    book = doubtful()
    assert look(book, 1, asked={STOP.id: after(0.9)}) == []
    assert len(look(book, 1.4, asked={STOP.id: after(0.9)})) == 1
    assert look(book, 109, asked={STOP.id: after(100)}) == []
    assert len(look(book, 110, asked={STOP.id: after(100)})) == 1


def test_what_is_on_its_way_is_not_asked_for() -> None:
    assert look(doubtful(), busy=frozenset({SPY})) == []


def test_where_ids_are_unique_what_was_not_found_is_the_same_order_once_more() -> None:
    assert look(doubtful(*missing(1)), 0.2) == []
    (again,) = look(doubtful(*missing(1)), 0.25)

    assert isinstance(again, SubmitOrder)
    assert (again.again, again.intent, again.urgency) == (True, STOP, Urgency.PROTECT)


def test_it_is_not_sent_again_where_ids_are_not_unique_or_it_would_not_reduce_any_more() -> None:
    assert of(SubmitOrder, look(doubtful(*missing(1)), 1, contract=NOT_UNIQUE)) == []
    assert of(SubmitOrder, look(doubtful(*missing(1)), 1, contract=with_contract(searchable_ids=False))) == []
    assert of(SubmitOrder, look(doubtful(*missing(1)), 1, halted=True)) == []
    for net in (0, 9, -10):
        assert of(SubmitOrder, look(doubtful(*missing(1)), 1, held={SPY: net})) == []


def test_it_is_sent_again_at_growing_intervals() -> None:
    """As long as submit is answered 503 and the look-up works, each round is over in a blink."""
    book = doubtful()
    sent, now = [], 0.0
    while now < 20:
        told(book, *missing(1), at=after(now))
        if of(SubmitOrder, look(book, now)):
            sent.append(now)
            told(book, j.OrderInDoubt(id=STOP.id, reason="503"), at=after(now))
        now += 0.125
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert 4 <= len(sent) <= 10
    assert gaps == sorted(gaps)


def test_many_in_doubt_share_the_pace_of_a_few() -> None:
    """Found by simulation: only writes fail, ten lots want their stops, and 121 requests leave in a minute."""
    ids = [PositionId(f"p{number}") for number in range(16)]
    stops = {id: exit_intended(Role.STOP, stop="98", id=id) for id in ids}
    book = folded(*(fact for id in ids for fact in position(10, id=id)), *stops.values())
    told(book, *(j.OrderInDoubt(id=stop.id, reason="503") for stop in stops.values()))
    sent, now = Counter[str](), 0.0
    while now < 60:
        told(book, *(j.OrderMissing(id=o.id) for o in book.alive.at(SPY) if not o.missed), at=after(now))
        for each in of(SubmitOrder, look(book, now)):
            sent[each.intent.position] += 1
            told(book, j.OrderInDoubt(id=each.intent.id, reason="503"), at=after(now))
        now += 0.25
    assert sum(sent.values()) <= 100
    assert min(sent.values()) >= 4


def test_one_that_joins_an_outage_of_writes_is_sent_at_the_pace_of_the_outage() -> None:
    """Found by simulation: each began anew with many copies in a few seconds, after ten lots had met the same."""
    book = doubtful(*missing(1))
    later = exit_intended(Role.STOP, stop="98", id=PositionId("p2"))
    told(book, *position(10, id=PositionId("p2")), later, j.OrderInDoubt(id=later.id, reason="503"), at=after(12))
    told(book, j.OrderMissing(id=later.id), at=after(12))

    def sent_again(seconds: float) -> list[str]:
        return [each.intent.id for each in of(SubmitOrder, look(book, seconds, held={SPY: 20}))]

    assert sent_again(17.9) == [STOP.id]
    assert sent_again(18) == [STOP.id, later.id]


def test_a_replace_is_never_sent_twice() -> None:
    new = exit_intended(Role.STOP, stop="99", attempt=2, replaces=STOP.id)
    book = folded(*position(10), new, j.OrderInDoubt(id=new.id, reason=""), j.OrderMissing(id=new.id))

    assert of(SubmitOrder, look(book)) == []


def test_an_opening_is_sent_again_for_ten_seconds_only() -> None:
    sent = opening_of(10)[:2]
    book = folded(*sent, j.OrderInDoubt(id=own_id(Role.OPEN), reason=""), j.OrderMissing(id=own_id(Role.OPEN)))

    assert len(of(SubmitOrder, look(book, 10))) == 1
    assert of(SubmitOrder, look(book, 10.1)) == []


def test_not_found_ends_doubt_only_after_flight_and_staleness_and_only_twice() -> None:
    book = doubtful()
    told(book, *missing(1), at=after(40))
    assert of(j.OrderNeverArrived, look(book, 41, contract=NOT_UNIQUE)) == []
    told(book, *missing(1), at=after(41))
    (given_up,) = look(book, 42, contract=NOT_UNIQUE)
    assert isinstance(given_up, j.OrderNeverArrived)

    early = doubtful(*missing(5))
    assert of(j.OrderNeverArrived, look(early, 100, contract=NOT_UNIQUE)) == []


def test_where_an_order_is_told_sooner_by_its_id_than_in_lists_the_doubt_ends_sooner_too() -> None:
    slow_lists = with_contract(
        unique_ids=False, staleness=timedelta(seconds=60), look_up_staleness=timedelta(seconds=10)
    )
    book = doubtful(*missing(1))
    told(book, *missing(1), at=after(41))

    assert len(of(j.OrderNeverArrived, look(book, 42, contract=slow_lists))) == 1
    assert of(j.OrderNeverArrived, look(book, 42, contract=replace(slow_lists, look_up_staleness=None))) == []


def test_after_a_start_the_flight_counts_from_there() -> None:
    book = doubtful()
    told(book, j.GuardStarted(version="1", mode="repair"), at=after(100))
    told(book, *missing(2), at=after(139))
    assert of(j.OrderNeverArrived, look(book, 140, contract=NOT_UNIQUE)) == []
    told(book, *missing(1), at=after(140))
    assert len(of(j.OrderNeverArrived, look(book, 141, contract=NOT_UNIQUE))) == 1


def test_after_the_clock_was_set_the_flight_counts_from_there() -> None:
    """Found by simulation: an hour forward, and an order ten seconds under way was given up. It arrived."""
    book = doubtful()
    told(book, *missing(2), at=after(3601))
    was_set = after(3600)
    assert of(j.OrderNeverArrived, look(book, 3601, contract=NOT_UNIQUE, clock_set_at=was_set)) == []
    told(book, *missing(1), at=after(3640))
    assert len(of(j.OrderNeverArrived, look(book, 3641, contract=NOT_UNIQUE, clock_set_at=was_set))) == 1


def test_a_copy_that_did_not_leave_says_nothing_about_the_one_before() -> None:
    """And is not sent again in the same breath: while the network is down every try fails at once."""
    book = doubtful(*missing(1), j.OrderNotSent(id=STOP.id, reason="no route"))

    outcomes = look(book, 0)

    assert book.state.orders[STOP.id].stage.value == "in_doubt"
    assert of(SubmitOrder, outcomes) == []
    assert len(of(QueryOrder, outcomes)) == 1


def test_the_refusal_of_a_second_copy_says_nothing_about_the_first() -> None:
    """That may still be on its way, and would rest beside whatever had been sent in its place."""
    book = doubtful(*missing(1), j.CopyRefused(id=STOP.id, reason="stop price must be less", kind="price"))
    assert book.state.orders[STOP.id].stage.value == "in_doubt"

    told(book, *missing(2), at=after(1))
    assert of(SubmitOrder, look(book, 1)) == []
    told(book, *missing(2), at=after(40))
    assert len(of(j.OrderNeverArrived, look(book, 41))) == 1


def test_the_broker_knows_the_id_means_ask_for_it() -> None:
    book = doubtful(*missing(1), j.OrderInDoubt(id=STOP.id, reason="the broker knows this id"))

    assert [type(each) for each in look(book)] == [QueryOrder]


def test_filled_and_not_booked_asks_for_fills() -> None:
    done = report("p1-stop-1", client=STOP.id, type=OrderType.STOP, filled=10, state=OrderState.FILLED)
    book = folded(*position(10), *resting_stop(10), j.OrderObserved(report=done, position=P, role=Role.STOP))

    (asked,) = look(book)

    assert isinstance(asked, ReadActivities)


def test_a_working_order_is_asked_for_when_there_is_a_reason() -> None:
    book = folded(*position(10), *resting_stop(10))
    listed = [report("p1-stop-1", client=STOP.id, type=OrderType.STOP, stop="98")]

    def why(*facts: j.Fact, **changes: Any) -> list[str]:
        for fact in facts:
            told(book, fact, at=after(1))
        return [each.reason for each in look(book, 2, **changes)]

    assert why(listed=listed) == []
    assert why() == ["booked as working, not listed"]
    assert why(asked_after=0) == []
    cancel = j.CancelIntended(broker_id=BrokerOrderId("p1-stop-1"), holding=SPY, reason="")
    assert why(cancel, listed=listed) == ["a cancel was asked for"]


def test_a_market_order_that_rests_in_the_session_is_asked_for() -> None:
    close = exit_intended(Role.CLOSE)
    shown = report("b", client=close.id)
    book = folded(*position(10), close, j.OrderObserved(report=shown, position=P, role=Role.CLOSE))

    assert [each.reason for each in look(book, 1, listed=[shown])] == ["a market order should have filled"]
    assert look(book, 1, listed=[shown], is_open=False) == []
    accepted = folded(*position(10), STOP, j.OrderAccepted(id=STOP.id, broker_id=BrokerOrderId("b")))
    assert [each.reason for each in look(accepted, 1, listed=[report("b", client=STOP.id)])] == [
        "accepted, not yet seen"
    ]


def test_a_leg_is_read_with_its_parent_while_that_works() -> None:
    leg = report("leg", type=OrderType.STOP, stop="98", state=OrderState.HELD)
    pair = report("oco", client=STOP.id, type=OrderType.LIMIT, limit="110", legs=(leg,))
    book = folded(*position(10), STOP, j.OrderObserved(report=pair, position=P, role=Role.STOP))
    order = book.state.orders[leg.client_id]

    assert is_listed(situation(book, listed=[pair]), order)
    assert not is_listed(situation(book), order)
    assert [each.client_id for each in look(book, 1)] == [STOP.id]


def test_fills_on_their_way_are_asked_for_at_growing_intervals() -> None:
    filled = report(f"{P}-open", client=own_id(Role.OPEN), side=Side.BUY, filled=10, state=OrderState.FILLED)
    book = folded(*opening_of(10), j.OrderObserved(report=filled, position=P, role=Role.OPEN))
    assert len(of(ReadActivities, look(book))) == 1
    assert of(ReadActivities, look(book, 100, asked={"read activities": after(91)})) == []
    assert len(of(ReadActivities, look(book, 101, asked={"read activities": after(91)}))) == 1
