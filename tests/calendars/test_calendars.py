"""The guard's calendar: against the library it is baked from, through holidays, half days and changes of the clocks."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.calendars import Calendar, OutsideCalendar
from standfast.exchange.sessions import USSessions

EQUITIES = Calendar()
OPTIONS = Calendar("us_index_options")
INSTANT = timedelta(microseconds=1)

# The library's own use of pandas, not ours to mend: deprecated in pandas 3.1.
with_the_library = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray that drops timezone")

moments = st.datetimes(datetime(2013, 1, 2), datetime(2050, 11, 30), timezones=st.just(UTC))  # noqa: DTZ001  zone follows
calendars = st.sampled_from([EQUITIES, OPTIONS])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def library(name: str) -> dict[date, tuple[datetime, datetime]]:
    """Every session of the library from 2013 to the table's end, in UTC."""
    source = pytest.importorskip("exchange_calendars", reason="exchange_calendars is not installed: tables unchecked")
    found = source.get_calendar(name, start="2013-01-01", end="2050-12-31")
    return {
        day.date(): (opens.to_pydatetime(), closes.to_pydatetime())
        for day, opens, closes in zip(found.sessions, found.opens, found.closes, strict=True)
    }


def ours(calendar: Calendar | USSessions) -> dict[date, tuple[datetime, datetime]]:
    listed = calendar.sessions if isinstance(calendar, Calendar) else calendar.calendar
    return {day: (opens, closes) for day, opens, closes in listed(date(2013, 1, 1), date(2050, 12, 31))}


@with_the_library
def test_every_session_agrees_with_the_library() -> None:
    expected = library("XNYS")

    assert len(expected) > 9_500
    assert ours(EQUITIES) == expected
    assert ours(USSessions()) == expected


@with_the_library
def test_index_options_agree_with_the_library_but_for_the_half_days_it_leaves_out() -> None:
    equities, expected, baked = library("XNYS"), library("XCBF"), ours(OPTIONS)
    left_out = {day for day, hours in expected.items() if baked[day] != hours}

    assert baked == ours(USSessions("index_options"))
    assert list(baked) == list(expected)
    assert {(day.month, day.day) for day in left_out} == {(7, 3), (12, 24)}
    for day in left_out:
        assert baked[day][1] == equities[day][1] + timedelta(minutes=15)


@with_the_library
def test_the_tables_are_what_the_script_bakes() -> None:
    pytest.importorskip("exchange_calendars", reason="exchange_calendars is not installed: the bake cannot be repeated")

    from scripts import bake_calendar

    for path, text in bake_calendar.tables().items():
        kept = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("# Baked by")]
        assert kept == [line for line in text.splitlines() if not line.startswith("# Baked by")], path.name


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2024-03-08", "14:30", "21:00"),
        ("2024-03-11", "13:30", "20:00"),
        ("2024-11-01", "13:30", "20:00"),
        ("2024-11-04", "14:30", "21:00"),
        ("2024-11-29", "14:30", "18:00"),
    ],
)
def test_sessions_keep_new_york_time_through_both_changes_of_the_clocks(day: str, opens: str, closes: str) -> None:
    wanted = date.fromisoformat(day)

    assert EQUITIES.session_open(wanted) == utc(f"{day} {opens}")
    assert EQUITIES.session_close(wanted) == utc(f"{day} {closes}")


def test_a_holiday_has_neither_open_nor_close() -> None:
    assert EQUITIES.session_open(date(2024, 12, 25)) is None
    assert EQUITIES.session_close(date(2024, 12, 25)) is None


def test_a_session_holds_its_first_instant_and_not_its_close() -> None:
    opens, closes = utc("2024-11-29 14:30"), utc("2024-11-29 18:00")

    assert not EQUITIES.in_session(opens - INSTANT)
    assert EQUITIES.in_session(opens)
    assert EQUITIES.in_session(closes - INSTANT)
    assert not EQUITIES.in_session(closes)


def test_minutes_to_close_count_down_on_a_half_day_and_mean_nothing_outside() -> None:
    assert EQUITIES.minutes_to_close(utc("2024-11-29 17:30")) == 30
    assert EQUITIES.minutes_to_close(utc("2024-11-29 17:59:59")) == 0
    assert EQUITIES.minutes_to_close(utc("2024-11-29 18:00")) is None
    assert EQUITIES.minutes_to_close(utc("2024-11-28 17:30")) is None


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2024-11-27 09:00", "2024-11-27"),  # 04:00 in New York: before the open
        ("2024-11-27 15:00", "2024-11-27"),
        ("2024-11-28 00:59", "2024-11-27"),  # 19:59: after hours
        ("2024-11-28 01:00", "2024-11-29"),  # 20:00: overnight, and the 28th is Thanksgiving
        ("2024-11-28 15:00", "2024-11-29"),
        ("2024-11-30 15:00", "2024-12-02"),  # Saturday
        ("2024-07-09 00:30", "2024-07-09"),  # 20:30 in summer: the next day's
        ("2024-07-08 23:30", "2024-07-08"),
    ],
)
def test_a_trading_day_ends_at_eight_in_the_evening(at: str, day: str) -> None:
    assert EQUITIES.trading_day(utc(at)) == date.fromisoformat(day)


@pytest.mark.parametrize("day", [date(2012, 12, 31), date(2051, 1, 2)])
def test_outside_the_table_there_is_an_error_that_names_its_range(day: date) -> None:
    at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    expected = rf"{day} is outside the us_equities calendar \(2013-01-01 to 2050-12-31\)"

    for ask in (EQUITIES.in_session, EQUITIES.next_open, EQUITIES.next_close, EQUITIES.trading_day):
        with pytest.raises(OutsideCalendar, match=expected):
            ask(at)
    with pytest.raises(OutsideCalendar, match=expected):
        EQUITIES.session_close(day)


def test_a_plan_for_a_day_outside_the_table_knows_of_no_session() -> None:
    """A machine whose clock shows 1970 must still guard."""
    assert EQUITIES.planned_close(date(1970, 1, 1)) is None
    assert EQUITIES.planned_close(date(2051, 1, 2)) is None
    assert EQUITIES.planned_close(date(2024, 1, 3)) == EQUITIES.session_close(date(2024, 1, 3))


def test_the_last_close_of_the_table_has_no_next_open() -> None:
    with pytest.raises(OutsideCalendar, match="2051-01-01 is outside"):
        EQUITIES.next_open(utc("2050-12-30 22:00"))


def test_a_time_without_zone_is_our_own_bug() -> None:
    with pytest.raises(AssertionError):
        EQUITIES.in_session(datetime(2024, 1, 3, 15))  # noqa: DTZ001  the point of the test


@given(calendars, moments)
def test_next_open_and_next_close_lie_strictly_ahead_and_nothing_opens_or_closes_before_them(
    calendar: Calendar, at: datetime
) -> None:
    opens, closes = calendar.next_open(at), calendar.next_close(at)
    near = calendar.sessions(at.date() - timedelta(days=1), at.date() + timedelta(days=7))

    assert opens == min(session.opens for session in near if session.opens > at)
    assert closes == min(session.closes for session in near if session.closes > at)
    assert calendar.in_session(at) == (closes < opens)


@given(calendars, moments)
def test_a_trading_day_never_goes_back_and_contains_its_session(calendar: Calendar, at: datetime) -> None:
    day = calendar.trading_day(at)

    assert day <= calendar.trading_day(at + timedelta(hours=1))
    session = calendar.session(day)
    assert session is not None
    assert calendar.trading_day(session.opens) == calendar.trading_day(session.closes) == day
    assert session.closes > at - timedelta(hours=9)


@given(moments)
def test_guard_and_exchange_agree_although_they_share_nothing(at: datetime) -> None:
    exchange = USSessions()

    assert EQUITIES.in_session(at) == exchange.is_open(at)
    assert EQUITIES.next_open(at) == exchange.next_open(at)
    assert EQUITIES.next_close(at) == exchange.next_close(at)


def test_importing_it_reads_no_table_and_imports_nothing_else() -> None:
    program = (
        "import sys, typing, standfast.model.errors\n"
        "from datetime import datetime\n"
        "before = set(sys.modules)\n"
        "import standfast.calendars\n"
        "print(*set(sys.modules) - before, standfast.calendars._table.cache_info().currsize)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["standfast.calendars", "0"]
