"""The session: opening, close, expiry, what may be asked when."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from standfast.exchange.activities import NEW_YORK
from standfast.exchange.sessions import AlwaysOpen, USSessions
from tests.exchange.desk import BUY, SECOND, SELL, START, D, Desk, Rules, Status, TimeInForce, open_desk, refusal


class Weekdays:
    """09:30 to 16:00 in New York, Monday to Friday."""

    def _edge(self, at: datetime, edge: time) -> datetime:
        day = at.astimezone(NEW_YORK).date()
        while True:
            found = datetime.combine(day, edge, NEW_YORK).astimezone(UTC)
            if day.weekday() < 5 and found > at:
                return found
            day += timedelta(days=1)

    def is_open(self, at: datetime) -> bool:
        return self.next_close(at) < self.next_open(at)

    def next_open(self, at: datetime) -> datetime:
        return self._edge(at, time(9, 30))

    def next_close(self, at: datetime) -> datetime:
        return self._edge(at, time(16, 0))

    def session_day(self, at: datetime) -> date:
        return self.next_close(at).astimezone(NEW_YORK).date()


CLOSE = datetime(2026, 10, 8, 20, 0, tzinfo=UTC)
NEXT_OPEN = datetime(2026, 10, 9, 13, 30, tzinfo=UTC)


def open_day(rules: Rules | None = None, *, start: datetime = START) -> Desk:
    return open_desk(rules, calendar=Weekdays(), start=start)


def test_a_day_order_says_when_it_ends_and_ends_then() -> None:
    desk = open_day()
    order = desk.submit(BUY, limit_price="90")
    assert order.expires_at == CLOSE

    desk.engine.advance(CLOSE)

    assert (desk.now(order).status, desk.now(order).expired_at) == (Status.EXPIRED, CLOSE)
    assert desk.engine.clock().is_open is False


def test_day_orders_may_end_as_cancelled_instead() -> None:
    desk = open_day(Rules(day_orders_end_as_canceled=True))
    order = desk.submit(BUY, limit_price="90")

    desk.engine.advance(CLOSE)

    assert desk.statuses(order) == ["canceled"]


def test_a_gtc_order_outlives_the_close_and_ages_out_after_90_days_at_a_quarter_past_four() -> None:
    desk = open_day()
    order = desk.submit(BUY, limit_price="90", time_in_force=TimeInForce.GTC)
    ends = datetime(2027, 1, 6, 21, 15, tzinfo=UTC)
    assert order.expires_at == ends

    desk.engine.advance(ends - SECOND)
    assert desk.statuses(order) == ["new"]
    desk.engine.advance(ends)

    assert desk.statuses(order) == ["expired"]


def test_a_gtc_order_may_be_done_for_the_day_and_works_on_at_the_next_open() -> None:
    desk = open_day(Rules(gtc_done_for_day=True))
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="90", time_in_force=TimeInForce.GTC)

    desk.engine.advance(CLOSE)
    assert desk.statuses(stop) == ["done_for_day"]
    assert desk.available() == 0
    desk.engine.advance(NEXT_OPEN)
    desk.quote("80.00")

    assert desk.story(stop) == ["pending_new", "new", "done_for_day", "new", "fill"]


def test_an_order_after_the_close_waits_for_the_open_and_a_fresh_quote() -> None:
    desk = open_day()
    desk.engine.advance(CLOSE)
    order = desk.submit(BUY)
    assert (order.status, order.expires_at) == (Status.ACCEPTED, datetime(2026, 10, 9, 20, 0, tzinfo=UTC))
    desk.quote("80.00")
    assert desk.statuses(order) == ["accepted"]

    desk.engine.advance(NEXT_OPEN)
    assert desk.statuses(order) == ["new"]
    desk.quote("85.00")

    assert desk.now(order).average_price == D("85.02")
    assert desk.story(order) == ["accepted", "new", "fill"]


def test_an_extended_hours_limit_trades_after_the_close_until_eight_in_the_evening() -> None:
    desk = open_day()
    order = desk.submit(BUY, limit_price="90", extended_hours=True)
    other = desk.submit(BUY, limit_price="80", extended_hours=True)
    desk.engine.advance(CLOSE)
    assert desk.statuses(order, other) == ["new", "new"]

    desk.quote("89.00")
    assert desk.now(order).average_price == D("89.02")
    desk.engine.advance(datetime(2026, 10, 9, 0, 0, tzinfo=UTC))

    assert desk.statuses(other) == ["expired"]


def test_an_opening_auction_order_gets_one_look_at_the_first_quote() -> None:
    desk = open_day(start=datetime(2026, 10, 8, 12, 0, tzinfo=UTC))
    market = desk.submit(BUY, time_in_force=TimeInForce.OPG)
    limit = desk.submit(BUY, limit_price="90", time_in_force=TimeInForce.OPG)
    desk.engine.advance(datetime(2026, 10, 8, 13, 30, tzinfo=UTC))
    assert desk.statuses(market, limit) == ["new", "new"]

    desk.quote("95.00")

    assert desk.statuses(market, limit) == ["filled", "canceled"]


def test_a_closing_auction_order_trades_at_the_close_only() -> None:
    desk = open_day()
    market = desk.submit(BUY, time_in_force=TimeInForce.CLS)
    limit = desk.submit(BUY, limit_price="90", time_in_force=TimeInForce.CLS)
    desk.quote("96.00")
    assert desk.statuses(market, limit) == ["new", "new"]

    desk.engine.advance(CLOSE)

    assert desk.statuses(market, limit) == ["filled", "canceled"]
    assert desk.now(market).filled_at == CLOSE


@pytest.mark.parametrize(
    ("clock", "lasts", "is_taken"),
    [
        ("13:27", TimeInForce.OPG, True),
        ("13:28", TimeInForce.OPG, False),
        ("15:00", TimeInForce.OPG, False),
        ("22:59", TimeInForce.OPG, False),
        ("23:00", TimeInForce.OPG, True),
        ("19:49", TimeInForce.CLS, True),
        ("19:50", TimeInForce.CLS, False),
        ("22:59", TimeInForce.CLS, False),
        ("23:00", TimeInForce.CLS, True),
    ],
)
def test_auction_orders_are_refused_from_shortly_before_the_auction_until_the_evening(
    clock: str, lasts: TimeInForce, *, is_taken: bool
) -> None:
    desk = open_day(start=datetime.fromisoformat(f"2026-10-08T{clock}:00+00:00") - SECOND)

    if is_taken:
        assert not desk.submit(BUY, time_in_force=lasts).is_finished
    else:
        assert refusal(desk.submit, BUY, time_in_force=lasts).http_status == 422


def test_an_immediate_order_after_hours_waits_for_the_open_too() -> None:
    desk = open_day()
    desk.engine.advance(CLOSE)
    order = desk.submit(BUY, time_in_force=TimeInForce.IOC)
    assert order.status is Status.ACCEPTED

    desk.engine.advance(NEXT_OPEN)

    assert desk.statuses(order) == ["canceled"]


def test_the_close_settles_the_closing_prices() -> None:
    desk = open_day()
    desk.submit(BUY)
    desk.quote("120.00")

    desk.engine.advance(CLOSE)
    desk.quote("130.00")

    assert desk.engine.position("a", "KO").last_close == D("120.01")
    assert desk.engine.account("a").last_equity == D("100199.90")


def test_the_clock_follows_the_calendar_over_a_weekend() -> None:
    desk = open_day()
    desk.engine.advance(datetime(2026, 10, 10, 12, 0, tzinfo=UTC))

    clock = desk.engine.clock()

    assert clock.next_open == datetime(2026, 10, 12, 13, 30, tzinfo=UTC)
    assert clock.next_close == datetime(2026, 10, 12, 20, 0, tzinfo=UTC)
    assert clock.is_open is False


def test_the_real_calendar_closes_early_and_keeps_holidays() -> None:
    """Thanksgiving 2026: closed on Thursday 26 November, until 13:00 on Friday."""
    eve = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
    desk = open_desk(calendar=USSessions(), start=eve)
    order = desk.submit(BUY, limit_price="90")
    assert order.expires_at == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)

    desk.engine.advance(datetime(2026, 11, 26, 15, 0, tzinfo=UTC))
    assert desk.statuses(order) == ["accepted"]
    desk.engine.advance(datetime(2026, 11, 27, 15, 0, tzinfo=UTC))
    assert desk.statuses(order) == ["new"]
    desk.engine.advance(datetime(2026, 11, 27, 18, 0, tzinfo=UTC))

    assert desk.statuses(order) == ["expired"]


def test_a_market_without_pause_ends_its_day_orders_at_midnight_and_stays_open() -> None:
    desk = open_desk(calendar=AlwaysOpen())
    order = desk.submit(BUY, limit_price="90")

    desk.engine.advance(datetime(2026, 10, 9, 0, 0, tzinfo=UTC))
    assert desk.engine.clock().is_open
    assert desk.statuses(order) == ["expired"]
    desk.quote("101.00")

    assert desk.submit(BUY).average_price == D("101.02")


def test_a_calendar_and_a_hand_do_not_both_steer_the_session() -> None:
    with pytest.raises(ValueError, match="calendar"):
        open_day().engine.session(is_open=False, at=CLOSE)


def test_a_position_survives_the_night_when_its_day_stop_does_not() -> None:
    desk = open_day()
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="90")

    desk.engine.advance(NEXT_OPEN)

    assert desk.statuses(stop) == ["expired"]
    assert (desk.net(), desk.available()) == (D(10), D(10))
