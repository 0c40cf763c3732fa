"""Tradier's clock and calendar (official_rb_client_2013/clock.json, docs_examples/calendar_day.json)."""

from calendar import monthrange
from datetime import date, time, timedelta

from standfast.exchange.dialects.gate import Call, Reply, Route, as_json
from standfast.exchange.dialects.tradier.manner import bad
from standfast.exchange.dialects.tradier.wire import NEW_YORK, Row
from standfast.exchange.sessions import Session

PRE_OPENS, PRE_CLOSES = time(7), time(9, 24)
POST_CLOSES = time(20)
MONTHS = range(1, 13)
YEARS = range(1990, 2100)


def clock(call: Call) -> Reply:
    now = call.venue.now.astimezone(NEW_YORK)
    session = _session(call, now.date())
    state, next_change, next_state = _state(call, session)
    row: Row = {
        "date": now.date().isoformat(),
        "description": _phrase(state, session),
        "state": state,
        "timestamp": int(now.timestamp()),
        "next_change": f"{next_change:%H:%M}",
        "next_state": next_state,
    }
    return Reply(200, as_json({"clock": row}))


def _state(call: Call, session: Session | None) -> tuple[str, time, str]:
    """Now, and when it becomes what."""
    if call.venue.sessions is None:  # the session is opened and closed by hand
        is_open = call.venue.engine.clock().is_open
        return ("open", time(16), "postmarket") if is_open else ("closed", PRE_OPENS, "premarket")
    state, now = "closed", call.venue.now.astimezone(NEW_YORK).time()
    for at, becomes in [] if session is None else _changes(session):
        if now < at:
            return state, at, becomes
        state = becomes
    return state, PRE_OPENS, "premarket"


def _changes(session: Session) -> list[tuple[time, str]]:
    opens, closes = _hours(session)
    return [(PRE_OPENS, "premarket"), (opens, "open"), (closes, "postmarket"), (POST_CLOSES, "closed")]


def _hours(session: Session) -> tuple[time, time]:
    return session.opens.astimezone(NEW_YORK).time(), session.closes.astimezone(NEW_YORK).time()


def _phrase(state: str, session: Session | None) -> str:
    if state == "open" and session is not None:
        opens, closes = _hours(session)
        return f"Market is open from {opens:%H:%M} to {closes:%H:%M}"
    return "Market is open" if state == "open" else "Market is closed."


def _session(call: Call, day: date) -> Session | None:
    if call.venue.sessions is None:
        return None
    found = call.venue.sessions.calendar(day, day)
    return found[0] if found else None


def calendar(call: Call) -> Reply:
    """One month: the present one unless asked for another."""
    today = call.venue.now.astimezone(NEW_YORK).date()
    month, year = _number(call, "month", today.month, MONTHS), _number(call, "year", today.year, YEARS)
    first = date(year, month, 1)
    days = [first + timedelta(days=n) for n in range(monthrange(year, month)[1])]
    try:
        rows = [_day_row(day, _session(call, day)) for day in days]
    except LookupError as error:
        raise bad("year", str(error)) from error
    return Reply(200, as_json({"calendar": {"month": month, "year": year, "days": {"day": rows}}}))


def _number(call: Call, name: str, usual: int, allowed: range) -> int:
    text = call.query.get(name, "")
    if not text:
        return usual
    if not text.isdecimal() or int(text) not in allowed:
        raise bad(name, f"{text} is not a {name}")
    return int(text)


def _day_row(day: date, session: Session | None) -> Row:
    if session is None:
        return {"date": day.isoformat(), "status": "closed", "description": "Market is closed"}
    opens, closes = _hours(session)
    return {
        "date": day.isoformat(),
        "status": "open",
        "description": "Market is open",
        "premarket": _span(PRE_OPENS, PRE_CLOSES),
        "open": _span(opens, closes),
        "postmarket": _span(closes, POST_CLOSES),
    }


def _span(start: time, end: time) -> Row:
    return {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}


TABLE = (
    Route("GET", "/v1/markets/clock", "clock", clock),
    Route("GET", "/v1/markets/calendar", "calendar", calendar),
)
