"""Tests of the time rules of `core/exits.py`: flat by a time of every session, and no longer than so long."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from standfast.core.cover import is_too_young
from standfast.core.exits import exits
from standfast.core.flat_times import last_flat_by
from standfast.core.policy import FlatBy, HeldBy, Policy
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.effects import WakeAt
from standfast.model.ids import Holding
from standfast.model.position import CloseReason
from tests.core.situations import (
    BEGAN,
    NEW_YORK,
    NOW,
    adopted,
    after,
    closes_at_four,
    folded,
    of,
    position,
    situation,
    the,
)
from tests.core.structures import FRIDAY, at
from tests.core.test_exits import GUARD, at_price, due

HOLIDAY = date(2026, 11, 26)


def around_thanksgiving(day: date) -> datetime | None:
    """Closed on Thursday, and at one o'clock on Friday."""
    if day == HOLIDAY:
        return None
    early = day == HOLIDAY + timedelta(days=1)
    return datetime.combine(day, time(13), NEW_YORK).astimezone(UTC) if early else closes_at_four(day)


def flat_by(hour: int, minute: int, now: datetime, closes: Any = closes_at_four) -> datetime | None:
    s = situation(folded(), now=now, session_close=closes)
    return last_flat_by(FlatBy(time(hour, minute), NEW_YORK), s)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-04 20:54:59", "2026-03-03 20:55"),  # a second too early: yesterday's
        ("2026-03-04 20:55:00", "2026-03-04 20:55"),
        ("2026-03-07 12:00:00", "2026-03-06 20:55"),  # Saturday: Friday's
        ("2026-03-09 19:55:00", "2026-03-09 19:55"),  # the clock was put forward over the weekend
        ("2026-03-09 19:54:00", "2026-03-06 20:55"),
        ("2026-11-02 20:55:00", "2026-11-02 20:55"),  # and back
        ("2026-11-02 20:54:00", "2026-10-30 19:55"),
    ],
)
def test_flat_by_is_a_wall_time_of_trading_days(now: str, expected: str) -> None:
    given, wanted = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, expected))

    assert flat_by(15, 55, given) == wanted


def test_a_holiday_asks_nobody_to_be_flat() -> None:
    now = datetime(2026, 11, 26, 22, tzinfo=UTC)

    last = flat_by(15, 55, now, around_thanksgiving)

    assert last == datetime(2026, 11, 25, 20, 55, tzinfo=UTC)


def test_a_calendar_without_trading_days_asks_nothing() -> None:
    assert flat_by(15, 55, NOW, lambda day: None) is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((15, 55), "2026-11-27 17:55"),  # five minutes before the close, as on every day
        ((11, 0), "2026-11-27 16:00"),  # early enough as it is
        ((13, 0), "2026-11-27 15:00"),  # three hours before the close
        ((16, 5), "2026-11-27 17:59"),  # never after it: a minute before at the latest
    ],
)
def test_on_a_half_day_flat_by_comes_before_the_close(at: tuple[int, int], expected: str) -> None:
    now = datetime(2026, 11, 27, 22, tzinfo=UTC)
    assert flat_by(*at, now, around_thanksgiving) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_somebody_wakes_before_the_close_of_a_half_day() -> None:
    rule = replace(GUARD, flat_by=FlatBy(time(15, 55), NEW_YORK))
    now = datetime(2026, 11, 27, 15, tzinfo=UTC)
    s = at_price("100", position(10, at=now), policy=rule, now=now, session_close=around_thanksgiving)

    waits = [wait.at for wait in of(WakeAt, exits(s, the(s.book)))]

    assert waits == [datetime(2026, 11, 27, 17, 55, tzinfo=UTC)]


def test_a_time_after_the_usual_close_is_a_minute_before_it() -> None:
    assert flat_by(16, 5, datetime(2026, 3, 4, 22, tzinfo=UTC)) == datetime(2026, 3, 4, 20, 59, tzinfo=UTC)


def test_in_the_hour_that_comes_twice_the_first_counts() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 01:30 in New York, for the first time
    for minutes in (0, 45, 60, 75):
        assert flat_by(1, 30, first + timedelta(minutes=minutes), lambda day: first + timedelta(days=1)) == first


def test_flat_by_closes_what_was_opened_before_and_leaves_what_came_after() -> None:
    rule = replace(GUARD, flat_by=FlatBy(time(9, 55), NEW_YORK))  # five minutes ago
    assert due(at_price("100", position(10), rule)) is CloseReason.FLAT_BY
    assert due(at_price("100", position(10, at=after(-60)), rule)) is None


def test_time_rules_need_no_session_and_spare_what_was_found_unless_told_otherwise() -> None:
    rule = replace(GUARD, maximum_hold=timedelta(minutes=30))
    assert due(at_price("100", position(10), rule, is_open=False)) is CloseReason.MAXIMUM_HOLD
    found = folded(adopted(10), at=BEGAN)
    assert due(situation(found, policy=rule)) is None
    assert due(situation(found, policy=replace(rule, adopted_too=True))) is CloseReason.MAXIMUM_HOLD


def test_somebody_wakes_at_the_next_time_rule() -> None:
    rule = replace(GUARD, maximum_hold=timedelta(hours=5), flat_by=FlatBy(time(15, 55), NEW_YORK))

    waits = of(WakeAt, exits(at_price("100", policy=rule), the(folded(*position(10)))))

    assert [wait.at for wait in waits] == [BEGAN + timedelta(hours=5), datetime(2026, 3, 4, 20, 55, tzinfo=UTC)]


@pytest.mark.parametrize("ahead", [timedelta(hours=1), -timedelta(hours=1)], ids=["we are behind", "we are ahead"])
def test_time_rules_go_by_the_brokers_clock(ahead: timedelta) -> None:
    """A fill is dated by the broker. By a clock an hour behind it would be in the future, and too young for a stop."""
    now = NOW - ahead
    book = folded(*position(10, at=NOW), at=now)
    young = replace(GUARD, held_by=HeldBy.BROKER, minimum_hold=timedelta(minutes=5))
    plain = replace(young, minimum_hold=timedelta(0))

    def look(policy: Policy, later: float) -> Situation:
        return situation(book, policy=policy, now=now + timedelta(seconds=later), clock_ahead=ahead)

    assert not is_too_young(look(plain, 0), the(book), plain)
    assert not is_too_young(replace(look(plain, 0), clock_ahead=timedelta(0)), the(book), plain)
    assert is_too_young(look(young, 299), the(book), young)
    assert not is_too_young(look(young, 300), the(book), young)
    held = replace(plain, maximum_hold=timedelta(minutes=30))
    assert due(look(held, 1799)) is None
    assert due(look(held, 1800)) is CloseReason.MAXIMUM_HOLD
    (wait,) = of(WakeAt, exits(look(held, 0), the(book)))
    assert wait.at == now + timedelta(minutes=30)


def test_a_single_option_is_flat_by_its_time_on_the_last_day_it_is_traded_on() -> None:
    rules = Policy(name="options", held_by=HeldBy.GUARD, expiring_flat_by=FlatBy(time(15, 10), NEW_YORK))
    today, friday = at("P", 3800), at("P", 3800, FRIDAY)
    ten_past_three = datetime.combine(NOW.date(), time(15, 10), NEW_YORK).astimezone(UTC)

    def asked(holding: Holding, now: datetime) -> list[CloseReason]:
        book = folded(*position(2, 5, holding=holding))
        s = situation(book, policy=rules, now=now, session_close=closes_at_four)
        (held,) = book.positions_at(holding)
        return [close.reason for close in of(j.CloseRequested, exits(s, held))]

    assert asked(today, ten_past_three - timedelta(seconds=1)) == []
    assert asked(today, ten_past_three) == [CloseReason.FLAT_BY]
    assert asked(friday, ten_past_three) == []
