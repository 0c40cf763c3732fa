"""A day's end over real sockets, on a clock sixty times as fast: what lapses at the close comes back, once."""

from decimal import Decimal
from typing import Any

from tests.acceptance.stage import Exchange, Stage, client_ids, until

AFTERNOON = "2026-01-05T19:00:00+00:00"
BEFORE_CLOSE = "2026-01-05T20:58:00+00:00"
BEFORE_OPEN = "2026-01-06T14:29:00+00:00"
POLICY = """\
exits_held_by = "broker"
stop_loss = "2%"
take_profit = "5%"
"""


def is_open(exchange: Exchange) -> bool:
    return bool(exchange.ask("GET", "/v2/clock")["is_open"])


def exits(exchange: Exchange) -> list[dict[str, Any]]:
    """Live sell orders, held legs of an OCO included."""
    found = {order["id"]: order for order in exchange.live("AAPL") if order["side"] == "sell"}
    nested = exchange.ask("GET", "/v2/orders?status=open&nested=true")
    for order in nested:
        found |= {leg["id"]: leg for leg in order.get("legs") or () if leg["side"] == "sell"}
    return list(found.values())


def kept(exchange: Exchange) -> bool:
    """A stop and a target, both until cancelled, each for the whole position."""
    found = exits(exchange)
    kinds = sorted(order["type"] for order in found)
    return kinds == ["limit", "stop"] and all(
        order["time_in_force"] == "gtc" and Decimal(order["qty"]) == 10 for order in found
    )


def sees_session(stage: Stage) -> bool:
    seen = stage.book().state.session
    return seen is not None and seen.is_open


def test_exits_that_lapse_at_the_close_come_back_until_cancelled_and_are_live_at_the_next_open(stage: Stage) -> None:
    exchange = stage.exchange(clock="x60")
    exchange.ask("POST", "/sim/advance", {"to": AFTERNOON})
    exchange.quote("AAPL", "99.99", "100.01")
    stage.settings(exchange.url, POLICY)
    guard = stage.guarded()
    exchange.buy("AAPL", 10, order_class="bracket", take_profit={"limit_price": "105"}, stop_loss={"stop_price": "98"})
    until(lambda: stage.held() == {"AAPL": Decimal(10)}, "the position in the books", told=guard.tail)
    until(lambda: not stage.book().state.breaks, "agreement", told=guard.tail)
    assert [id for id in client_ids(exchange.orders()) if id.startswith("sf")] == []  # the bot's bracket is cover

    exchange.ask("POST", "/sim/advance", {"to": BEFORE_CLOSE})
    until(lambda: not is_open(exchange), "the close", told=guard.tail)
    until(lambda: kept(exchange), "the exits to come back", told=lambda: (exits(exchange), guard.tail()))
    after = client_ids(exchange.orders())

    exchange.ask("POST", "/sim/advance", {"to": BEFORE_OPEN})
    until(lambda: is_open(exchange), "the next open", told=guard.tail)
    opened = exchange.now()
    until(lambda: sees_session(stage), "the guard to see it", told=guard.tail)
    exchange.quote("AAPL", "99.99", "100.01")
    until(lambda: (exchange.now() - opened).total_seconds() > 300, "five minutes of the new day")

    assert kept(exchange)
    assert client_ids(exchange.orders()) == after  # once: nothing more was sent
    exchange.quote("AAPL", "97.00", "97.02")
    until(lambda: exchange.positions() == {} and stage.held() == {}, "the stop to close it", told=guard.tail)
    until(lambda: exits(exchange) == [], "nothing left behind", told=guard.tail)
    assert len(guard.workers()) == 1
    stage.assert_whole()
