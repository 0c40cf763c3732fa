"""alpaca-py's TradingClient and data client, unchanged, against the served exchange."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.contract.official import APIError, asks, data_asks, data_client, trading_client
from tests.contract.served import Served, serving


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as served:
        served.quote("SPY", "599.99", "600.01")
        served.quote("AAPL", "249.98", "250.02")
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[Any]:
    with trading_client(served) as client:
        yield client


def buy(symbol: str = "SPY", quantity: float = 10, **more: object) -> Any:
    return asks.MarketOrderRequest(symbol=symbol, qty=quantity, side="buy", time_in_force="day", **more)


def refusal(client: Any, request: Any) -> APIError:
    with pytest.raises(APIError) as raised:
        client.submit_order(request)
    return raised.value


def test_a_market_order_is_acknowledged_filled_and_held(client: Any) -> None:
    order = client.submit_order(buy(client_order_id="mine"))

    assert (order.status.value, order.qty, order.client_order_id) == ("pending_new", "10", "mine")
    assert client.get_order_by_id(order.id).status.value == "filled"
    assert client.get_order_by_client_id("mine").filled_avg_price == "600.01"
    (held,) = client.get_all_positions()
    assert (held.symbol, held.qty, held.side.value, held.avg_entry_price) == ("SPY", "10", "long", "600.01")
    assert client.get_open_position("SPY") == held == client.get_open_position(str(held.asset_id))


def test_the_account_shows_what_trading_cost(client: Any) -> None:
    client.submit_order(buy())

    account = client.get_account()

    assert (account.cash, account.long_market_value) == ("93999.9", "6000")
    assert account.status.value == "ACTIVE"


def test_a_bracket_is_shown_with_its_legs_nested(client: Any) -> None:
    order = client.submit_order(
        asks.LimitOrderRequest(
            symbol="AAPL", qty=3, side="buy", time_in_force="gtc", limit_price=245, order_class="bracket",
            take_profit=asks.TakeProfitRequest(limit_price=300), stop_loss=asks.StopLossRequest(stop_price=200),
        )
    )  # fmt: skip

    assert [(leg.type.value, leg.status.value) for leg in order.legs] == [("limit", "held"), ("stop", "held")]
    (shown,) = client.get_orders(asks.GetOrdersRequest(nested=True))
    assert [leg.id for leg in shown.legs] == [leg.id for leg in order.legs]
    assert {row.id for row in client.get_orders()} >= {order.id}


def test_an_oco_is_the_target_with_the_stop_beneath(client: Any, served: Served) -> None:
    client.submit_order(buy())
    target = client.submit_order(
        asks.LimitOrderRequest(
            symbol="SPY", qty=10, side="sell", time_in_force="gtc", order_class="oco",
            take_profit=asks.TakeProfitRequest(limit_price=610), stop_loss=asks.StopLossRequest(stop_price=590),
        )
    )  # fmt: skip
    (stop,) = target.legs
    assert (target.limit_price, target.order_class.value, stop.type.value) == ("610", "oco", "stop")

    served.quote("SPY", "589.5", "589.52")

    assert client.get_all_positions() == []
    assert client.get_order_by_id(stop.id).status.value == "filled"
    assert client.get_order_by_id(target.id).status.value == "canceled"


def test_an_oto_is_the_entry_with_one_exit(client: Any) -> None:
    entry = client.submit_order(buy(order_class="oto", stop_loss=asks.StopLossRequest(stop_price=590)))

    (stop,) = client.get_order_by_id(entry.id).legs

    assert (stop.type.value, stop.status.value, stop.qty) == ("stop", "new", "10")
    assert client.get_open_position("SPY").qty_available == "0"


def test_a_stop_holds_the_quantity_a_close_would_need(client: Any) -> None:
    client.submit_order(buy())
    stop = client.submit_order(
        asks.StopOrderRequest(symbol="SPY", qty=10, side="sell", time_in_force="gtc", stop_price=590)
    )

    with pytest.raises(APIError) as raised:
        client.close_position("SPY")

    assert (raised.value.status_code, raised.value.code) == (403, 40310000)
    assert str(stop.id) in str(raised.value)
    client.cancel_order_by_id(stop.id)
    assert client.close_position("SPY").side.value == "sell"
    assert client.get_all_positions() == []


def test_a_part_of_a_position_can_be_closed(client: Any) -> None:
    client.submit_order(buy())

    client.close_position("SPY", asks.ClosePositionRequest(qty="4"))
    client.close_position("SPY", asks.ClosePositionRequest(percentage="50"))

    assert client.get_open_position("SPY").qty == "3"


def test_everything_is_closed_and_cancelled_at_once(client: Any) -> None:
    client.submit_order(buy())
    client.submit_order(asks.StopOrderRequest(symbol="SPY", qty=10, side="sell", time_in_force="gtc", stop_price=590))

    (closed,) = client.close_all_positions(cancel_orders=True)

    assert (closed.symbol, closed.status) == ("SPY", 200)
    assert client.get_all_positions() == []
    assert client.get_orders() == []


def test_a_replace_is_a_new_order(client: Any) -> None:
    client.submit_order(buy())
    old = client.submit_order(
        asks.StopOrderRequest(symbol="SPY", qty=10, side="sell", time_in_force="gtc", stop_price=590)
    )

    new = client.replace_order_by_id(old.id, asks.ReplaceOrderRequest(stop_price=595))

    assert (new.replaces, new.stop_price, new.qty) == (old.id, "595", "10")
    assert client.get_order_by_id(old.id).replaced_by == new.id
    assert client.get_order_by_id(old.id).status.value == "replaced"


def test_a_trailing_stop_shows_its_mark(client: Any, served: Served) -> None:
    client.submit_order(buy())
    order = client.submit_order(
        asks.TrailingStopOrderRequest(symbol="SPY", qty=10, side="sell", time_in_force="gtc", trail_percent=1)
    )
    served.quote("SPY", "610", "610.02")

    assert client.get_order_by_id(order.id).trail_percent == "1"
    assert float(client.get_order_by_id(order.id).hwm) >= 610


def test_orders_are_listed_by_status_symbol_and_side(client: Any) -> None:
    client.submit_order(buy())
    resting = [
        client.submit_order(
            asks.LimitOrderRequest(symbol=symbol, qty=1, side="buy", time_in_force="gtc", limit_price=limit)
        )
        for symbol, limit in (("SPY", 500), ("AAPL", 200))
    ]

    assert {row.id for row in client.get_orders()} == {order.id for order in resting}
    assert [row.symbol for row in client.get_orders(asks.GetOrdersRequest(symbols=["AAPL"]))] == ["AAPL"]
    assert client.get_orders(asks.GetOrdersRequest(side="sell")) == []
    assert [row.status.value for row in client.get_orders(asks.GetOrdersRequest(status="closed"))] == ["filled"]
    assert len(client.get_orders(asks.GetOrdersRequest(status="all", limit=2, direction="asc"))) == 2


def test_all_orders_can_be_cancelled(client: Any) -> None:
    request = asks.LimitOrderRequest(symbol="SPY", qty=1, side="buy", time_in_force="gtc", limit_price=500)
    orders = {client.submit_order(request).id, client.submit_order(request).id}

    cancelled = client.cancel_orders()

    assert {row.id for row in cancelled} == orders
    assert {row.status for row in cancelled} == {200}


def test_a_client_order_id_is_used_once(client: Any) -> None:
    client.submit_order(buy(client_order_id="once"))

    error = refusal(client, buy(client_order_id="once"))

    assert (error.status_code, error.code, error.message) == (422, 40010001, "client_order_id must be unique")


def test_what_is_not_there_is_404(client: Any) -> None:
    for ask in (
        lambda: client.get_open_position("SPY"),
        lambda: client.get_order_by_client_id("nobody's"),
        lambda: client.get_order_by_id(UUID(int=7)),
        lambda: client.get_asset("ZZZZ"),
    ):
        with pytest.raises(APIError) as raised:
            ask()  # type: ignore[no-untyped-call]  # the client is Any
        assert (raised.value.status_code, raised.value.code) == (404, 40410000)


def test_a_filled_order_cannot_be_cancelled(client: Any) -> None:
    order = client.submit_order(buy())

    with pytest.raises(APIError) as raised:
        client.cancel_order_by_id(order.id)

    assert raised.value.status_code == 422


def test_nobody_gets_in_with_a_wrong_secret(served: Served) -> None:
    with trading_client(served, secret="a guess") as stranger, pytest.raises(APIError) as raised:
        stranger.get_account()

    assert raised.value.status_code == 401
    assert '"unauthorized"' in str(raised.value)


def test_fractions_and_amounts_of_money_can_be_bought(client: Any) -> None:
    client.submit_order(buy(quantity=0.5))
    client.submit_order(asks.MarketOrderRequest(symbol="AAPL", notional=100, side="buy", time_in_force="day"))

    apple, spy = sorted(client.get_all_positions(), key=lambda row: row.symbol)

    assert spy.qty == "0.5"
    assert 0 < float(apple.qty) < 0.4


def test_a_short_is_shown_negative(client: Any) -> None:
    client.submit_order(asks.MarketOrderRequest(symbol="SPY", qty=5, side="sell", time_in_force="day"))

    held = client.get_open_position("SPY")

    assert (held.qty, held.side.value, held.market_value) == ("-5", "short", "-3000")


def test_fills_are_activities_page_by_page(client: Any) -> None:
    orders = [client.submit_order(buy(quantity=quantity)).id for quantity in (1, 2, 3)]

    first = client.get("/account/activities/FILL", {"page_size": 2, "direction": "asc"})
    rest = client.get("/account/activities/FILL", {"page_size": 2, "direction": "asc", "page_token": first[-1]["id"]})

    assert [row["order_id"] for row in first + rest] == [str(order) for order in orders]
    assert client.get("/account/activities", {"category": "non_trade_activity"}) == []


def test_clock_calendar_and_assets_are_there(client: Any) -> None:
    clock = client.get_clock()

    (monday, tuesday) = client.get_calendar(asks.GetCalendarRequest(start=date(2026, 1, 5), end=date(2026, 1, 6)))

    assert clock.is_open
    assert clock.next_close.isoformat() == "2026-01-05T16:00:00-05:00"
    assert (monday.open.isoformat(), tuesday.close.isoformat()) == ("2026-01-05T09:30:00", "2026-01-06T16:00:00")
    assert [asset.symbol for asset in client.get_all_assets(asks.GetAssetsRequest(asset_class="us_equity"))] == [
        "AAPL", "KO", "SPY",
    ]  # fmt: skip
    assert client.get_asset("SPY").fractionable


def test_suspended_trading_refuses_orders(client: Any) -> None:
    configurations = client.get_account_configurations()
    configurations.suspend_trade = True

    client.set_account_configurations(configurations)

    assert refusal(client, buy()).status_code == 403
    assert client.get_account().trade_suspended_by_user


def test_the_latest_quote_trade_and_snapshot_are_served(served: Served) -> None:
    with data_client(served) as client:
        quotes = client.get_stock_latest_quote(data_asks.StockLatestQuoteRequest(symbol_or_symbols=["SPY", "AAPL"]))
        trade = client.get_stock_latest_trade(data_asks.StockLatestTradeRequest(symbol_or_symbols="SPY"))
        snapshot = client.get_stock_snapshot(data_asks.StockSnapshotRequest(symbol_or_symbols="SPY"))

    assert (quotes["SPY"].bid_price, quotes["AAPL"].ask_price) == (599.99, 250.02)
    assert trade["SPY"].price == 600.0
    assert snapshot["SPY"].latest_quote.ask_price == 600.01
