"""Tests of `core/own_record.py`: what is found, of whom, and when nothing can be said."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from standfast.core.own_record import differing, record_findings, structure_record_findings, unread_finding
from standfast.core.policy import BotRecord, Foreign
from standfast.core.reconcile import Report, reconcile_account
from standfast.core.repair import repairs
from standfast.core.situation import Situation
from standfast.core.tell import wording
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.ids import BreakId, EntryNumber, Holding, InstrumentId, PositionId
from standfast.model.tracked import Tracked
from tests.core.situations import (
    BEGAN,
    NOW,
    QQQ,
    SPY,
    D,
    adopted,
    after,
    closing_of,
    folded,
    of,
    ruled,
    situation,
    told,
)
from tests.core.test_closed_first import MIDDLE, NEW, OLD, SHARED, UPPER, spread

Held = Mapping[Holding, Decimal | None]
EARLIER = BEGAN - timedelta(hours=1)


def record(held: Held, **changes: Any) -> Tracked:
    return Tracked(**{"label": "orders.json", "held": held, "began": NOW, **changes})


def seen(
    recorded: Held, *facts: j.Fact, net: Mapping[Holding, int], rules: BotRecord | None = None, **changes: Any
) -> Situation:
    """Ten SPY that were adopted long ago, and what the record says."""
    told = changes.pop("tracked", record(recorded))
    book = folded(*(facts or (adopted(10, 100),)), at=EARLIER)
    return situation(book, held=net, record=told, rules=ruled(record=rules or BotRecord(), **changes))


def found(s: Situation, holding: Holding = SPY) -> tuple[str, str] | None:
    findings = record_findings(s, holding)
    assert findings is not None
    assert len(findings) <= 1
    return (findings[0].booked, findings[0].reported) if findings else None


def test_agreement_is_silent() -> None:
    assert found(seen({SPY: D(10)}, net={SPY: 10})) is None
    assert found(seen({SPY: None}, net={SPY: 10})) is None


@pytest.mark.parametrize(
    ("recorded", "net", "told"),
    [
        ({}, 10, ("nothing", "10")),
        ({SPY: D(4)}, 10, ("4", "10")),
        ({SPY: D(12)}, 10, ("12", "10")),
        ({SPY: D(-10)}, 10, ("-10", "10")),
    ],
)
def test_every_difference_is_told_with_both_sides(recorded: Held, net: int, told: tuple[str, str]) -> None:
    assert found(seen(recorded, net={SPY: net})) == told


def test_what_only_the_record_holds_is_told_too() -> None:
    assert found(seen({QQQ: D(5)}, net={SPY: 10}), QQQ) == ("5", "nothing")
    assert found(seen({QQQ: None}, net={SPY: 10}), QQQ) == ("the name", "nothing")


def test_a_list_that_leaves_out_what_is_booked_says_nothing_of_the_record() -> None:
    assert record_findings(seen({SPY: D(10)}, net={}), SPY) is None


def test_what_is_being_closed_is_not_judged() -> None:
    s = seen({}, adopted(10, 100), closing_of(), net={SPY: 10})

    assert record_findings(s, SPY) is None


def test_a_record_that_was_never_read_says_nothing() -> None:
    assert record_findings(seen({}, net={SPY: 10}, tracked=record({}, began=None)), SPY) is None


def test_what_was_adopted_a_moment_ago_waits_for_the_record_and_what_was_dropped_does_not() -> None:
    book = folded(adopted(10, 100), at=after(-20))
    rules = ruled(record=BotRecord())
    slow = situation(book, held={SPY: 10}, record=record({}), rules=rules)
    told = record({}, changed={SPY: after(-15)}, shrunk={SPY: after(-5)})
    dropped = situation(book, held={SPY: 10}, record=told, rules=rules)

    assert found(slow) is None
    assert found(dropped) == ("nothing", "10")


def test_what_it_drops_before_it_knew_of_the_last_fill_may_be_closed_already_and_what_is_held_be_newer() -> None:
    """Found by simulation: a record late with a close and with the opening after it, in one contract."""
    rules = ruled(record=BotRecord())
    told = record({}, changed={SPY: after(-60)}, shrunk={SPY: after(-5)})

    newer = situation(folded(adopted(10, 100), at=after(-20)), held={SPY: 10}, record=told, rules=rules)
    long_held = situation(folded(adopted(10, 100), at=after(-50)), held={SPY: 10}, record=told, rules=rules)

    assert found(newer) is None
    assert found(long_held) == ("nothing", "10")


def test_what_is_known_as_foreign_need_not_be_in_it_and_may_be() -> None:
    known = j.ForeignAcknowledged(holding=SPY, quantity=D(4), by="op", bare=D(4), seen_at=EARLIER)
    for recorded in (D(10), D(12), D(14)):
        assert found(seen({SPY: recorded}, adopted(10, 100), known, net={SPY: 14})) is None
    assert found(seen({SPY: D(9)}, adopted(10, 100), known, net={SPY: 14})) == ("9", "14")


def test_what_others_hold_need_not_be_in_it() -> None:
    gamma = BotRecord(strategies=("gamma",))
    elsewhere = BotRecord(instruments=("QQQ",))
    sold = record({}, shrunk={SPY: NOW})

    assert found(seen({}, net={SPY: 10}, rules=gamma)) is None
    assert found(seen({}, net={SPY: 10}, rules=elsewhere)) is None
    assert found(seen({}, net={SPY: 10}, rules=gamma, tracked=sold)) is None


def test_what_nobody_has_booked_has_to_be_in_it_unless_it_is_ignored() -> None:
    orphan = seen({QQQ: D(1)}, adopted(1, 1, holding=QQQ), net={SPY: 10, QQQ: 1})
    ignored = seen({QQQ: D(1)}, adopted(1, 1, holding=QQQ), net={SPY: 10, QQQ: 1}, foreign=Foreign.IGNORE)

    assert found(orphan) == ("nothing", "10")
    assert found(ignored) is None


def test_worth_a_look_is_only_where_the_two_stand_apart() -> None:
    assert list(differing(seen({SPY: D(10), QQQ: None}, net={SPY: 10}))) == [QQQ]
    assert list(differing(seen({}, net={SPY: 10}, tracked=record({}, began=None)))) == []


def test_a_record_that_fails_is_told_after_half_a_minute_and_no_position_with_it() -> None:
    failing = record({SPY: D(10)}, failing_since=after(-31), why="orders.json is no whole JSON document")
    s = seen({}, net={SPY: 10}, tracked=failing)

    (told,) = reconcile_account(s).findings
    assert (told.kind, told.subject, told.evidence) == (BreakKind.BLIND, "record", failing.why)
    assert unread_finding(seen({}, net={SPY: 10}, tracked=record({}, failing_since=after(-29)))) is None
    assert found(s) is None


def test_the_first_sight_asks_the_broker_and_the_second_waits_until_it_must_know() -> None:
    s = seen({}, net={SPY: 10}, tracked=record({}, shrunk={SPY: NOW}))
    findings = record_findings(s, SPY)
    assert findings

    outcomes = list(repairs(s, SPY, _report(findings)))

    assert [fact.finding for fact in of(j.BreakSeen, outcomes)] == list(findings)
    assert {type(each).__name__ for each in outcomes} >= {"ReadActivities", "ReadPositions", "WakeAt"}


@pytest.mark.parametrize(("age", "asks"), [(1, set()), (9, set()), (11, {"ReadActivities", "ReadPositions"})])
def test_in_between_it_is_waited_for_and_takes_no_requests(age: int, asks: set[str]) -> None:
    """Every second one, and at a broker that counts them the list itself came half a minute late."""
    first = seen({}, net={SPY: 10}, tracked=record({}, shrunk={SPY: after(-age)}))
    findings = record_findings(first, SPY)
    assert findings
    book = folded(adopted(10, 100), at=EARLIER)
    told(book, j.BreakSeen(id=BreakId("b"), finding=findings[0]), at=after(-age))

    outcomes = list(repairs(replace(first, book=book), SPY, _report(findings)))

    assert {type(each).__name__ for each in outcomes} & {"ReadActivities", "ReadPositions", "ReadOrders"} == asks


def _report(findings: tuple[Finding, ...]) -> Any:
    return Report(findings, frozenset({BreakKind.BOT_LOST}))


@pytest.mark.parametrize(
    ("recorded", "holding", "severity", "said"),
    [
        ({}, SPY, Severity.CRITICAL, "has nothing, the broker holds 10"),
        ({QQQ: D(5)}, QQQ, Severity.WARNING, "A bot that sells what it does not hold opens a position"),
    ],
)
def test_the_alarm_says_who_looks_after_it_now(recorded: Held, holding: Holding, severity: Severity, said: str) -> None:
    s = seen(recorded, net={SPY: 10})
    (finding,) = record_findings(s, holding) or ()
    known = Break(id=BreakId("b1"), finding=finding, first_seen=NOW, last_seen=NOW, number=EntryNumber(1))

    told = wording(s, known)

    assert told[0] is severity
    assert said in told[1]


def test_two_structures_of_equal_legs_are_one_report_of_all_that_is_gone() -> None:
    facts = [*spread(OLD, UPPER, 1), *spread(NEW, UPPER, 2)]
    s = seen({}, *facts, net={UPPER: -3, SHARED: 3})

    assert [record_findings(s, each) for each in (UPPER, SHARED)] == [(), ()]
    told = [_of_structure(s, each) for each in (OLD, NEW)]
    assert [[f.reported for f in each] for each in told] == [[f"3 x {UPPER}:-1 {SHARED}:+1"], []]
    assert f"{OLD}, {NEW}" in told[0][0].evidence


def _of_structure(s: Situation, id: PositionId) -> tuple[Finding, ...]:
    found = structure_record_findings(s, s.book.state.structures[id])
    assert found is not None
    return found


def test_what_a_spread_does_not_explain_is_told_by_its_contract() -> None:
    single = adopted(2, "0.90", id=PositionId("single"), holding=SHARED)
    s = seen(
        {MIDDLE: D(-1), SHARED: D(1)},
        *spread(OLD, MIDDLE, 1),
        *spread(NEW, UPPER, 2),
        single,
        net={MIDDLE: -1, UPPER: -2, SHARED: 5},
    )

    assert _of_structure(s, OLD) == ()
    assert [f.gap for f in _of_structure(s, NEW)] == [D(2)]
    assert [f.gap for f in record_findings(s, SHARED) or ()] == [D(2)]
    assert record_findings(s, UPPER) == ()


def test_a_name_that_is_no_instrument_of_ours_is_only_the_records() -> None:
    other = Holding(InstrumentId("BTC/USDT:USDT"))

    assert found(seen({SPY: D(10), other: D(1)}, net={SPY: 10}), other) == ("1", "nothing")
