"""Whatever a bot usually calls of ccxt is answered by the simulated Bybit and Binance alike."""

from typing import Any

import pytest

from tests.contract.ccxt_clients import SYMBOL, client
from tests.exchange.dialects.binance_desk import binance_desk
from tests.exchange.dialects.bybit_desk import KEY, SECRET, bybit_desk

READS: list[tuple[str, Any]] = [
    ("fetch_time", ()),
    ("fetch_markets", ()),
    ("fetch_ticker", (SYMBOL,)),
    ("fetch_tickers", ()),
    ("fetch_bids_asks", ([SYMBOL],)),
    ("fetch_order_book", (SYMBOL,)),
    ("fetch_trades", (SYMBOL,)),
    ("fetch_ohlcv", (SYMBOL, "1m")),
    ("fetch_funding_rate", (SYMBOL,)),
    ("fetch_funding_rates", ()),
    ("fetch_funding_rate_history", (SYMBOL,)),
    ("fetch_open_interest", (SYMBOL,)),
    ("fetch_market_leverage_tiers", (SYMBOL,)),
    ("fetch_balance", ()),
    ("fetch_positions", ()),
    ("fetch_positions", ([SYMBOL],)),
    ("fetch_leverage", (SYMBOL,)),
    ("fetch_trading_fee", (SYMBOL,)),
    ("fetch_ledger", ("USDT",)),
    ("fetch_funding_history", (SYMBOL,)),
    ("fetch_my_trades", (SYMBOL,)),
    ("fetch_my_liquidations", (SYMBOL,)),
    ("fetch_open_orders", (SYMBOL,)),
    ("fetch_closed_orders", (SYMBOL,)),
    ("fetch_canceled_orders", (SYMBOL,)),
    ("fetch_canceled_and_closed_orders", (SYMBOL,)),
]
WRITES: list[tuple[str, Any]] = [
    ("create_market_buy_order", (SYMBOL, 0.1)),
    ("create_limit_sell_order", (SYMBOL, 0.1, 52_000)),
    ("create_stop_loss_order", (SYMBOL, "market", "sell", 0.1, None, 49_000)),
    ("create_take_profit_order", (SYMBOL, "market", "sell", 0.1, None, 53_000)),
    ("create_post_only_order", (SYMBOL, "limit", "buy", 0.1, 40_000)),
    ("create_reduce_only_order", (SYMBOL, "market", "sell", 0.01)),
    ("create_orders", ([{"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.1, "price": 40_000}],)),
    ("cancel_all_orders", (SYMBOL,)),
    ("set_leverage", (7, SYMBOL)),
]
VENUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "bybit": (bybit_desk, {}),
    "binanceusdm": (binance_desk, {"fetchCurrencies": False}),
}


@pytest.mark.parametrize("name", sorted(VENUES))
async def test_what_bots_usually_call_is_answered(name: str) -> None:
    made, options = VENUES[name]
    async with made() as desk, client(name, desk.server, KEY, SECRET, **options) as exchange:
        await exchange.load_markets()
        for method, given in (*WRITES, *READS):
            assert await getattr(exchange, method)(*given) is not None, method
        (position,) = [held for held in await exchange.fetch_positions() if held["contracts"]]
        assert (position["side"], position["contracts"], float(position["leverage"] or 7)) == ("long", 0.09, 7.0)
