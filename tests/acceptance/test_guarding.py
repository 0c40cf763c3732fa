"""The main job over real sockets: what a bot does is found, protected, closed, and put down."""

from decimal import Decimal

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from standfast.model.journal import PositionSettled
from tests.acceptance.stage import Stage, until


def test_a_position_a_bot_buys_with_the_official_client_gets_its_stop_at_the_exchange(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()

    bot = TradingClient("key", "secret", paper=True, url_override=exchange.url)
    bot.submit_order(MarketOrderRequest(symbol="AAPL", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY))

    until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
    (stop,) = exchange.stops("AAPL")
    assert (stop["side"], Decimal(stop["qty"]), stop["time_in_force"]) == ("sell", Decimal(10), "gtc")
    assert Decimal(stop["stop_price"]) == Decimal("98.01")  # 2 % under 100.01, to the cent on the safe side
    assert exchange.positions() == stage.held() == {"AAPL": Decimal(10)}
    stage.assert_whole()


def test_a_stop_that_is_reached_closes_the_position_and_the_books_say_so(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("SPY", 5)
    until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)

    exchange.quote("SPY", "390.00", "390.02")

    (settled,) = until(lambda: stage.facts(PositionSettled), "the position to be settled", told=guard.tail)
    assert settled.reason == "stop_loss"
    assert exchange.positions() == stage.held() == {}
    assert exchange.live() == []
    stage.assert_whole()
