"""The exchange's sessions: half-open, holidays and early closes, wall time kept through changes of the clocks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.sessions import AlwaysOpen, Sessions, USSessions
from tests.exchange.recordings import utc

EQUITIES = USSessions()
OPTIONS = USSessions("index_options")

moments = st.datetimes(datetime(2013, 1, 1), datetime(2050, 11, 30), timezones=st.just(UTC))  # noqa: DTZ001  zone follows
anything = st.sampled_from([EQUITIES, OPTIONS, AlwaysOpen()])


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2024-03-08", "14:30", "21:00"),
        ("2024-03-11", "13:30", "20:00"),  # the clocks went forward on the 10th
        ("2024-11-01", "13:30", "20:00"),
        ("2024-11-04", "14:30", "21:00"),  # and back on the 3rd
        ("2024-11-29", "14:30", "18:00"),  # the day after Thanksgiving
        ("2024-07-03", "13:30", "17:00"),
    ],
)
def test_a_session_opens_and_closes_at_new_york_time(day: str, opens: str, closes: str) -> None:
    ((_, opened, closed),) = EQUITIES.calendar(date.fromisoformat(day), date.fromisoformat(day))

    assert (opened, closed) == (utc(f"{day} {opens}"), utc(f"{day} {closes}"))


@pytest.mark.parametrize("day", ["2024-12-25", "2024-03-29", "2024-07-06", "2025-01-09", "2021-12-24", "2026-07-03"])
def test_holidays_weekends_and_days_of_mourning_have_no_session(day: str) -> None:
    assert EQUITIES.session(date.fromisoformat(day)) is None
    assert EQUITIES.calendar(date.fromisoformat(day), date.fromisoformat(day)) == []


def test_a_session_holds_its_first_instant_and_not_its_close() -> None:
    instant = timedelta(microseconds=1)
    opens, closes = utc("2024-11-29 14:30"), utc("2024-11-29 18:00")

    assert [EQUITIES.is_open(at) for at in (opens - instant, opens, closes - instant, closes)] == [
        False,
        True,
        True,
        False,
    ]


def test_index_options_trade_a_quarter_of_an_hour_longer_on_half_days_too() -> None:
    assert OPTIONS.next_close(utc("2024-01-03 20:00")) == utc("2024-01-03 21:15")
    assert OPTIONS.next_close(utc("2024-12-24 15:00")) == utc("2024-12-24 18:15")


def test_an_order_after_the_close_belongs_to_the_next_session() -> None:
    assert EQUITIES.session_day(utc("2024-11-27 20:59")) == date(2024, 11, 27)
    assert EQUITIES.session_day(utc("2024-11-27 21:00")) == date(2024, 11, 29)  # the 28th is Thanksgiving
    assert EQUITIES.session_day(utc("2024-11-29 18:00")) == date(2024, 12, 2)
    assert EQUITIES.session_day(utc("2024-12-31 23:00")) == date(2025, 1, 2)


def test_the_year_ends_without_a_gap() -> None:
    assert EQUITIES.next_open(utc("2024-12-31 15:00")) == utc("2025-01-02 14:30")
    assert EQUITIES.next_close(utc("2024-12-31 22:00")) == utc("2025-01-02 21:00")
    assert len(EQUITIES.calendar(date(2024, 1, 1), date(2025, 12, 31))) == 252 + 250


def test_beyond_the_table_there_is_an_error_and_no_guess() -> None:
    with pytest.raises(LookupError, match=r"2012 is outside the session table of US equities \(2013-01-01 to 2050"):
        EQUITIES.is_open(utc("2012-12-31 15:00"))
    with pytest.raises(LookupError, match="2051 is outside"):
        EQUITIES.next_open(utc("2050-12-31 15:00"))


@pytest.mark.parametrize("sessions", [EQUITIES, AlwaysOpen()])
def test_a_time_without_zone_is_refused(sessions: Sessions) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        sessions.is_open(datetime(2024, 1, 3, 15))  # noqa: DTZ001  the point of the test


def test_a_market_that_never_closes_turns_its_day_at_midnight() -> None:
    crypto = AlwaysOpen()
    at = utc("2024-01-06 12:00")

    assert crypto.is_open(at)
    assert crypto.next_close(at) == crypto.next_open(at) == utc("2024-01-07 00:00")
    assert crypto.next_close(utc("2024-01-07 00:00")) == utc("2024-01-08 00:00")
    assert crypto.session_day(at) == date(2024, 1, 6)
    assert [row.day.day for row in crypto.calendar(date(2024, 1, 6), date(2024, 1, 8))] == [6, 7, 8]


@given(anything, moments)
def test_next_open_and_next_close_lie_strictly_ahead(sessions: Sessions, at: datetime) -> None:
    assert sessions.next_open(at) > at
    assert sessions.next_close(at) > at


@given(anything, moments)
def test_open_means_inside_the_session_of_the_day(sessions: Sessions, at: datetime) -> None:
    ((day, opens, closes),) = sessions.calendar(sessions.session_day(at), sessions.session_day(at))

    assert sessions.is_open(at) == (opens <= at < closes)
    assert (closes, day) == (sessions.next_close(at), sessions.session_day(at))


@given(st.sampled_from([EQUITIES, OPTIONS]), moments)
def test_open_now_means_the_close_comes_before_the_next_open(sessions: USSessions, at: datetime) -> None:
    assert sessions.is_open(at) == (sessions.next_close(at) < sessions.next_open(at))


@given(st.sampled_from([EQUITIES, OPTIONS]), moments)
def test_no_pause_is_longer_than_a_holiday_weekend(sessions: USSessions, at: datetime) -> None:
    assert sessions.next_open(at) - at <= timedelta(days=5)
