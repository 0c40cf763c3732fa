"""When a wall-clock rule asks for everything to be flat, on days that end as usual and on those that end early."""

from datetime import UTC, date, datetime, time, timedelta

from standfast.core.policy import FlatBy
from standfast.core.situation import Situation

BEFORE_CLOSE = timedelta(minutes=1)
"""How long before the close a time rule acts at the latest: after it nothing can be closed before the next open."""
DAYS_USUAL = 10
"""Days among which the usual close is looked for."""
DAYS_BACK = 30
"""How far back the last trading day is looked for."""


def never_closes(day: date) -> datetime:
    """The close of a day where nothing closes: when the day is over by every clock."""
    return datetime.combine(day + timedelta(days=2), time(), UTC)


def last_flat_by(rule: FlatBy, s: Situation) -> datetime | None:
    """The latest moment at which the rule asked everything to be flat: a trading day's, at or before now.

    Looking back instead of at the clock's face, a guard that was away at the time still acts when it is back. None:
    there was no trading day for weeks.
    """
    today = s.broker_now.astimezone(rule.zone).date()
    for day in (today - timedelta(days=back) for back in range(DAYS_BACK)):
        moment = flat_moment(rule, day, s)
        if moment is not None and moment <= s.broker_now:
            return moment
    return None


def flat_moment(rule: FlatBy, day: date, s: Situation) -> datetime | None:
    """When the rule asks for it on a day; None on one without a session.

    A session that ends earlier than usual is over before the clock shows the rule's time: then it asks as long before
    the close as on other days. In UTC: two times of one zone compare by the clock's face, which is wrong in the hour a
    clock is put back.
    """
    close = s.session_close(day)
    if close is None:
        return None
    moment = datetime.combine(day, rule.at, rule.zone).astimezone(UTC)
    if moment <= close - BEFORE_CLOSE:
        return moment
    before = datetime.combine(day, _usual_close(rule, day, s)) - datetime.combine(day, rule.at)
    return close - max(before, BEFORE_CLOSE)


def _usual_close(rule: FlatBy, day: date, s: Situation) -> time:
    """The latest time at which sessions of the days before ended, by the clocks of the rule's zone."""
    closes = (s.session_close(day - timedelta(days=back)) for back in range(DAYS_USUAL))
    return max(close.astimezone(rule.zone).time() for close in closes if close is not None)


def last_trading_day(expiry: date, s: Situation, *, at_open: bool) -> date | None:
    """The last day on which what expires then is traded; the day before where it settles at opening prices.

    None if there was no session for weeks before it.
    """
    start = 1 if at_open else 0
    days = (expiry - timedelta(days=back) for back in range(start, DAYS_BACK))
    return next((day for day in days if s.session_close(day) is not None), None)
