"""Alpaca's clock, calendar and list of assets."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

from standfast.exchange.dialects.alpaca.rows import Row, asset_row, clock_row
from standfast.exchange.dialects.alpaca.wire import NEW_YORK, parse_day
from standfast.exchange.dialects.gate import Call, Reply, Route, as_json
from standfast.exchange.refusal import Refused
from standfast.exchange.sessions import Session

PRE_OPENS = time(4)
POST_CLOSES = time(20)
YEAR = timedelta(days=366)
EARLIEST, LATEST = date(1970, 1, 1), date(2100, 1, 1)  # what is a date and not a slip; the table has its own limits
SETTLES_WITHIN = timedelta(days=10)  # the next session is nearer than that
NYSE: Row = {"acronym": "NYSE", "mic": "XNYS", "name": "New York Stock Exchange",
             "timezone": "America/New_York"}  # fmt: skip
MARKETS = frozenset({"NYSE", "NASDAQ", "XNYS", "XNAS"})


def clock(call: Call) -> Reply:
    return _json(clock_row(call.venue.engine.clock()))


def clock_v3(call: Call) -> Reply:
    """NYSE's, whichever markets are asked for."""
    row = clock_row(call.venue.engine.clock())
    phase = "core" if row["is_open"] else "closed"
    shown: Row = {
        "market": NYSE,
        "timestamp": row["timestamp"],
        "is_market_day": bool(_sessions(call, *[call.venue.now.astimezone(NEW_YORK).date()] * 2)) or phase == "core",
        "next_market_open": row["next_open"],
        "next_market_close": row["next_close"],
        "phase": phase,
        "phase_until": row["next_close"] if phase == "core" else row["next_open"],
    }
    return _json({"clocks": [shown]})


def calendar(call: Call) -> Reply:
    return _json(
        [
            {
                "date": session.day.isoformat(),
                "open": f"{session.opens.astimezone(NEW_YORK):%H:%M}",
                "close": f"{session.closes.astimezone(NEW_YORK):%H:%M}",
                "session_open": f"{PRE_OPENS:%H%M}",
                "session_close": f"{POST_CLOSES:%H%M}",
                "settlement_date": settles.isoformat(),
            }
            for session, settles in _settled(call)
        ]
    )


def calendar_v3(call: Call) -> Reply:
    if call.path["market"] not in MARKETS:
        raise Refused(400, 40010000, f"invalid market: {call.path['market']}")
    return _json({"market": NYSE, "calendar": [_day_row(*settled) for settled in _settled(call)]})


def assets(call: Call) -> Reply:
    found = [asset_row(asset) for asset in call.venue.engine.assets()]
    wanted = {"status": "status", "asset_class": "class", "exchange": "exchange"}
    for name, key in wanted.items():
        if call.query.get(name):
            found = [row for row in found if row[key] == call.query[name]]
    return _json(call.venue.faults.thin(found, call.fault, lambda row: str(row["symbol"])))


def asset(call: Call) -> Reply:
    return _json(asset_row(call.venue.engine.asset(call.path["key"])))


TABLE = (
    Route("GET", "/v2/clock", "clock", clock),
    Route("GET", "/v3/clock", "clock", clock_v3),
    Route("GET", "/v2/calendar", "calendar", calendar),
    Route("GET", "/v3/calendar/{market}", "calendar", calendar_v3),
    Route("GET", "/v2/assets", "assets", assets),
    Route("GET", "/v2/assets/{key}", "asset", asset),
)


def _day_row(session: Session, settles: date) -> Row:
    opens, closes = session.opens.astimezone(NEW_YORK), session.closes.astimezone(NEW_YORK)
    return {
        "date": session.day.isoformat(),
        "pre_start": _at(session.day, PRE_OPENS).isoformat(),
        "pre_end": opens.isoformat(),
        "core_start": opens.isoformat(),
        "core_end": closes.isoformat(),
        "post_start": closes.isoformat(),
        "post_end": _at(session.day, POST_CLOSES).isoformat(),
        "settlement_date": settles.isoformat(),
    }


def _range(call: Call) -> tuple[date, date]:
    """As asked; else the year from today on."""
    today = call.venue.now.astimezone(NEW_YORK).date()
    start = parse_day(call.query["start"], "start") if call.query.get("start") else today
    end = parse_day(call.query["end"], "end") if call.query.get("end") else min(start, LATEST - YEAR) + YEAR
    if not EARLIEST <= start <= end <= LATEST:
        raise Refused(400, 40010000, f"start and end must be in order and lie between {EARLIEST} and {LATEST}")
    return start, end


def _sessions(call: Call, start: date, end: date) -> list[Session]:
    """None where the session is steered by hand."""
    if call.venue.sessions is None:
        return []
    try:
        return call.venue.sessions.calendar(start, end)
    except LookupError as error:
        raise Refused(400, 40010000, str(error)) from error


def _settled(call: Call) -> list[tuple[Session, date]]:
    """The sessions asked for, each with the day on which its trades settle: the next session's."""
    start, end = _range(call)
    sessions = _sessions(call, start, end + SETTLES_WITHIN)
    return [(session, after.day) for session, after in pairwise(sessions) if session.day <= end]


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, NEW_YORK)


def _json(value: object) -> Reply:
    return Reply(200, as_json(value))
