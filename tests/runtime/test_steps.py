"""Tests of `runtime/steps.py`: a clock that was set is noticed, and by how much."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from standfast.core.book import Book
from standfast.model.ids import AccountId
from standfast.runtime.ledger import Ledger
from standfast.runtime.steps import Steps
from tests.sim.stories import STOP_ONLY

START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)


class SettableClock:
    """Time that passes when told to, and whose wall clock can be set."""

    def __init__(self) -> None:
        self.skew, self.passed = timedelta(0), 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed) + self.skew

    def monotonic(self) -> float:
        return self.passed


def steps_of(clock: SettableClock) -> Steps:
    given: Any = clock
    return Steps(given)


def test_time_that_passes_is_no_step_however_long_nobody_looked() -> None:
    clock = SettableClock()
    steps = steps_of(clock)
    clock.passed += 100_000

    assert steps.look() == (START + timedelta(seconds=100_000), timedelta(0))
    assert steps.last is None


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(seconds=-3), timedelta(days=-20_000)])
def test_a_step_is_told_once_with_its_size(by: timedelta) -> None:
    clock = SettableClock()
    steps = steps_of(clock)
    clock.passed, clock.skew = 10, by

    assert steps.look() == (clock.now(), by)
    assert steps.last == clock.now()
    assert steps.look()[1] == timedelta(0)


def test_what_the_broker_s_clock_shows_is_known_at_once_when_ours_was_set() -> None:
    """Else an hour's step ends every longest hold before the broker has been asked."""
    clock, told = SettableClock(), []
    given: Any = clock
    ledger = Ledger(
        journal=given, store=given, book=Book.empty(AccountId("sim")), broker=given, clock=given, rules=STOP_ONLY
    )
    ledger.when_clock_is_set.append(lambda: told.append("set"))
    clock.skew = timedelta(hours=1)

    assert ledger.now() + ledger.clock_ahead == START
    assert told == ["set"]
