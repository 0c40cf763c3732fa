"""Tests of `core/flat_times.py`: when a wall-clock rule asks for everything to be flat."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from standfast.core.flat_times import flat_moment, last_flat_by, last_trading_day, never_closes
from standfast.core.policy import FlatBy
from tests.core.situations import NEW_YORK, folded, situation
from tests.core.test_time_rules import around_thanksgiving

RULE = FlatBy(time(15, 10), NEW_YORK)


def test_a_rule_asks_as_long_before_an_early_close_as_on_other_days() -> None:
    s = situation(folded(), session_close=around_thanksgiving)

    assert flat_moment(RULE, date(2026, 11, 25), s) == datetime(2026, 11, 25, 20, 10, tzinfo=UTC)
    assert flat_moment(RULE, date(2026, 11, 26), s) is None
    assert flat_moment(RULE, date(2026, 11, 27), s) == datetime(2026, 11, 27, 17, 10, tzinfo=UTC)


def test_the_last_time_it_asked_is_a_trading_day_s() -> None:
    s = situation(folded(), now=datetime(2026, 11, 27, 17, 9, tzinfo=UTC), session_close=around_thanksgiving)

    assert last_flat_by(RULE, s) == datetime(2026, 11, 25, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expiry", "at_open", "last"),
    [
        (date(2026, 11, 25), False, date(2026, 11, 25)),
        (date(2026, 11, 26), False, date(2026, 11, 25)),
        (date(2026, 11, 27), True, date(2026, 11, 25)),
        (date(2026, 11, 28), False, date(2026, 11, 27)),
    ],
)
def test_contracts_are_traded_for_the_last_time_on_a_trading_day(expiry: date, last: date, *, at_open: bool) -> None:
    s = situation(folded(), session_close=around_thanksgiving)

    assert last_trading_day(expiry, s, at_open=at_open) == last


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_where_nothing_closes_the_rule_holds_on_every_day(zone: str) -> None:
    rule, saturday = FlatBy(time(23, 59), ZoneInfo(zone)), date(2026, 11, 28)
    s = situation(folded(), now=datetime(2026, 11, 28, 12, tzinfo=UTC), session_close=never_closes)

    assert flat_moment(rule, saturday, s) == datetime.combine(saturday, rule.at, rule.zone).astimezone(UTC)


def test_without_sessions_there_is_no_last_one() -> None:
    s = situation(folded(), session_close=lambda day: None)

    assert last_trading_day(date(2026, 11, 25), s, at_open=False) is None
    assert last_flat_by(RULE, s) is None
