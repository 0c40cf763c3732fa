"""One timer for each holding, the earliest that was asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from standfast.model.ids import Holding, InstrumentId
from standfast.runtime.clock import RealClock
from standfast.runtime.timers import Spaced, Timers

START = datetime(2026, 1, 5, 15, tzinfo=UTC)
SPY, AAPL = Holding(InstrumentId("SPY")), Holding(InstrumentId("AAPL"))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_the_earliest_moment_of_a_holding_rings_and_only_that() -> None:
    timers = Timers()
    for seconds in (5, 2, 9):
        timers.set(at(seconds), SPY)
    timers.set(at(3), AAPL)

    assert timers.next == at(2)
    assert timers.ring(at(1)) == []
    assert timers.ring(at(4)) == [SPY, AAPL]
    assert timers.ring(at(10)) == []


def test_what_has_rung_can_be_set_again() -> None:
    timers = Timers()
    timers.set(at(1), SPY)
    assert timers.ring(at(1)) == [SPY]

    timers.set(at(2), SPY)

    assert timers.ring(at(2)) == [SPY]


def test_looks_that_each_ask_for_a_second_from_now_do_not_multiply() -> None:
    timers, rung = Timers(), 0
    for tenth in range(600):
        rung += len(timers.ring(at(tenth / 10)))
        timers.set(at(tenth / 10 + 1), SPY)
    assert rung <= 60


def test_what_is_spaced_is_due_once_in_so_long_however_often_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, passed = RealClock(), [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: passed[0])
    spaced, due = Spaced(clock), []
    for second in range(12):
        passed[0] = float(second)
        if spaced.is_due(timedelta(seconds=5)):
            due.append(second)

    assert due == [0, 5, 10]
