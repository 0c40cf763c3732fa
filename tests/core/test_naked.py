"""Tests of `core/naked.py`: time without cover has a beginning and an end."""

from typing import Any

from standfast.core.naked import naked_time
from standfast.core.policy import HeldBy, Policy
from standfast.model import journal as j
from standfast.model.effects import WakeAt
from standfast.model.ids import BrokerOrderId
from standfast.model.order import OrderType
from tests.core.situations import (
    SPY,
    D,
    P,
    adopted,
    after,
    folded,
    position,
    report,
    resting_stop,
    situation,
    the,
    told,
    with_contract,
)
from tests.core.toy_broker import desk


def looked(*facts: j.Fact, **changes: Any) -> list[type]:
    return [type(each) for each in naked_time(situation(folded(*facts), **changes), SPY)]


def test_it_begins_when_cover_is_lacking_and_ends_when_it_is_there() -> None:
    assert looked(*position(10)) == [j.NakedBegan, WakeAt]
    assert looked(*position(10), j.NakedBegan(position=P)) == []
    assert looked(*position(10), *resting_stop(9)) == [j.NakedBegan, WakeAt]
    assert looked(*position(10), *resting_stop(10)) == []
    assert looked(*position(10), j.NakedBegan(position=P), *resting_stop(10)) == [j.NakedEnded]


def test_an_exit_that_was_to_be_cancelled_and_is_not_read_since_ends_nothing() -> None:
    """Its cancel is asked for again after two seconds: a stretch that began anew would put off what ends it."""
    cancel = j.CancelIntended(broker_id=BrokerOrderId(f"{P}-stop-1"), holding=SPY, reason="test")
    unread = [*position(10), *resting_stop(10), cancel, j.NakedBegan(position=P)]
    later: dict[str, Any] = {"now": after(3), "contract": with_contract(checks_closing=False)}

    assert looked(*unread, **later) == []
    book = folded(*unread)
    told(book, resting_stop(10)[-1], at=after(3))
    assert [type(each) for each in naked_time(situation(book, **later), SPY)] == [j.NakedEnded]


def test_what_wants_no_resting_stop_is_never_naked() -> None:
    guard = Policy(name="guard", held_by=HeldBy.GUARD)
    assert looked(*position(10), policy=guard) == []
    assert looked(adopted(10), listed=[report("x", type=OrderType.UNKNOWN)]) == []


def test_seconds_add_up_over_stretches() -> None:
    at = desk(*position(10), refuses=lambda effect: "not_sent")
    at.run()
    at.wait(3)
    at.refuses = lambda effect: ""
    at.run()

    assert (the(at.book).naked_since, the(at.book).naked_seconds) == (None, D(3))
    assert at.now == after(3)


def test_what_lacks_its_cover_is_under_way_where_an_order_may_be_sent_for_it() -> None:
    book = folded(*position(10), j.NakedBegan(position=P))
    assert list(book.under_way()) == [SPY]
    assert list(book.under_way(may_cover=False)) == []
