"""When the session opens and closes, by the broker's clock and its calendar."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from standfast.brokers.tradier.sessions import sessions_of
from standfast.model.errors import Malformed
from tests.brokers.clocks import ManualClock
from tests.brokers.tradier.scripted import Script, broker

CLOCK, CALENDAR = "https://h/v1/markets/clock", "https://h/v1/markets/calendar"


def day(date: str, start: str = "09:30", end: str = "16:00") -> dict[str, object]:
    return {"date": date, "status": "open", "open": {"start": start, "end": end}}


def month(*days: Mapping[str, object]) -> bytes:
    return json.dumps({"calendar": {"days": {"day": days[0] if len(days) == 1 else days}}}).encode()


def told(at: datetime, state: str, *months: bytes) -> Script:
    found = Script()
    stamp = int(at.timestamp())
    found.tell("/v1/markets/clock", json.dumps({"clock": {"state": state, "timestamp": stamp}}).encode())
    each = iter(months)
    found.answers["/v1/markets/calendar"] = lambda params: next(each)
    return found


WEDNESDAY = day("2026-11-25")
HOLIDAY = {"date": "2026-11-26", "status": "closed", "description": "Market is closed"}
HALF = day("2026-11-27", end="13:00")


@pytest.mark.parametrize(
    ("at", "state", "next_open", "next_close"),
    [
        ("2026-11-25T15:00", "open", "2026-11-27T14:30", "2026-11-25T21:00"),
        ("2026-11-25T12:00", "premarket", "2026-11-25T14:30", "2026-11-25T21:00"),
        ("2026-11-25T21:00", "postmarket", "2026-11-27T14:30", "2026-11-27T18:00"),
        ("2026-11-26T16:00", "closed", "2026-11-27T14:30", "2026-11-27T18:00"),
        ("2026-11-27T15:00", "open", "2026-12-01T14:30", "2026-11-27T18:00"),
    ],
)
async def test_the_next_session_is_found_over_nights_holidays_and_months(
    at: str, state: str, next_open: str, next_close: str
) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    script = told(now, state, month(WEDNESDAY, HOLIDAY, HALF), month(day("2026-12-01")))

    read = await broker(script, ManualClock()).clock()

    assert (read.at, read.is_open) == (now, state == "open")
    assert (f"{read.next_open:%Y-%m-%dT%H:%M}", f"{read.next_close:%Y-%m-%dT%H:%M}") == (next_open, next_close)


async def test_the_calendar_is_asked_for_once_a_day() -> None:
    script = told(datetime(2026, 11, 25, 15, tzinfo=UTC), "open", month(WEDNESDAY, HOLIDAY, HALF))
    at = broker(script, ManualClock())

    for _ in range(3):
        await at.clock()

    assert script.asked.count("/v1/markets/calendar") == 1


async def test_a_calendar_without_a_session_ahead_is_refused() -> None:
    script = told(datetime(2026, 11, 25, 15, tzinfo=UTC), "open", month(WEDNESDAY), month(HOLIDAY))

    with pytest.raises(Malformed, match="no session after"):
        await broker(script, ManualClock()).clock()


@pytest.mark.parametrize("odd", [day("2026-11-25", "16:00", "09:30"), day("today"), day("2026-11-25", "9", "noon")])
def test_hours_that_cannot_be_are_refused(odd: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="calendar day"):
        sessions_of(month(odd))


def test_a_clock_that_goes_forward_between_two_sessions_moves_the_hours_in_utc() -> None:
    (before, _), (after, _) = sessions_of(month(day("2026-03-06"), day("2026-03-09")))

    assert (before.hour, after.hour) == (14, 13)
