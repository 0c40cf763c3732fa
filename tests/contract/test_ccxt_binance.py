"""Unmodified ccxt and ccxt.pro trade on the simulated Binance USD-M (brokers/README §5.3, §5.5)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import pytest

from tests.contract.ccxt_clients import SYMBOL, client
from tests.exchange.dialects.binance_desk import BTC, KEY, SECRET, BinanceDesk, binance_desk


@asynccontextmanager
async def trading() -> AsyncIterator[tuple[BinanceDesk, Any]]:
    async with (
        binance_desk() as desk,
        client("binanceusdm", desk.server, KEY, SECRET, fetchCurrencies=False) as exchange,
    ):
        await exchange.load_markets()
        yield desk, exchange


async def test_markets_have_their_steps_and_limits() -> None:
    async with trading() as (_, exchange):
        market = exchange.market(SYMBOL)
        assert (market["swap"], market["linear"], market["contractSize"]) == (True, True, 1.0)
        assert (market["precision"]["amount"], market["precision"]["price"]) == (0.001, 0.1)
        assert market["limits"]["cost"]["min"] == 5.0


async def test_an_order_answers_with_its_end_and_is_found_by_its_client_id() -> None:
    async with trading() as (_, exchange):
        order = await exchange.create_order(SYMBOL, "market", "buy", 0.1, None, {"clientOrderId": "mine"})
        assert (order["status"], order["filled"]) == ("closed", 0.1)
        found = await exchange.fetch_order(None, SYMBOL, {"clientOrderId": "mine"})
        assert (found["id"], found["average"]) == (order["id"], 50000.1)
        (position,) = await exchange.fetch_positions()
        assert (position["symbol"], position["side"], position["contracts"]) == (SYMBOL, "long", 0.1)
        (trade,) = await exchange.fetch_my_trades(SYMBOL)
        assert (trade["order"], trade["fee"]["cost"]) == (order["id"], 2.7500055)


async def test_a_stop_is_seen_only_with_trigger() -> None:
    async with trading() as (desk, exchange):
        await exchange.create_order(SYMBOL, "market", "buy", 0.1)
        stop = await exchange.create_order(
            SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 49_000, "reduceOnly": True, "clientOrderId": "sl"}
        )
        assert await exchange.fetch_open_orders(SYMBOL) == []
        (found,) = await exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
        assert (found["id"], found["clientOrderId"], found["triggerPrice"]) == (stop["id"], "sl", 49_000.0)
        desk.quote("48900")
        assert await desk.held() == {}
        assert (await exchange.fetch_order(stop["id"], SYMBOL, {"trigger": True}))["status"] == "closed"


async def test_a_stop_that_closes_the_position_and_one_that_trails_are_taken_and_cancelled() -> None:
    async with trading() as (_, exchange):
        await exchange.create_order(SYMBOL, "market", "buy", 0.1)
        closing = await exchange.create_order(
            SYMBOL, "STOP_MARKET", "sell", 0.1, None, {"stopLossPrice": 49_000, "closePosition": True}
        )
        await exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"trailingPercent": 1, "reduceOnly": True})
        await exchange.cancel_order(closing["id"], SYMBOL, {"trigger": True})
        (left,) = await exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
        assert left["info"]["orderType"] == "TRAILING_STOP_MARKET"


async def test_hedged_alone_opens_a_short_where_a_stop_was_meant() -> None:
    async with trading() as (desk, exchange):
        await exchange.set_position_mode(hedged=True)
        await exchange.create_order(SYMBOL, "market", "buy", 0.1, None, {"positionSide": "LONG"})
        await exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"hedged": True, "stopLossPrice": 49_000})
        desk.quote("48900")
        assert await desk.held() == {(BTC, "LONG"): "0.1", (BTC, "SHORT"): "-0.1"}


async def test_refusals_carry_their_codes() -> None:
    """Their classes hang on the host: at another than Binance's ccxt knows only those of its general table."""
    async with trading() as (_, exchange):
        with pytest.raises(ccxt.ExchangeError, match="-2019"):
            await exchange.create_order(SYMBOL, "market", "buy", 100)
        with pytest.raises(ccxt.ExchangeError, match="-2022"):
            await exchange.create_order(SYMBOL, "market", "buy", 0.1, None, {"reduceOnly": True})
        with pytest.raises(ccxt.ExchangeError, match="-2021"):
            await exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 60_000})
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order("1", SYMBOL)


async def test_orders_are_amended_and_cancelled() -> None:
    async with trading() as (_, exchange):
        order = await exchange.create_order(SYMBOL, "limit", "buy", 0.1, 40_000)
        changed = await exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 0.2, 41_000)
        assert (changed["id"], changed["amount"], changed["price"]) == (order["id"], 0.2, 41_000.0)
        assert (await exchange.cancel_order(order["id"], SYMBOL))["status"] == "canceled"


async def test_balance_leverage_funding_and_market_data_are_read() -> None:
    async with trading() as (desk, exchange):
        assert (await exchange.set_leverage(20, SYMBOL))["leverage"] == 20
        await exchange.create_order(SYMBOL, "market", "buy", 0.1)
        desk.wait(8 * 3600)
        assert (await exchange.fetch_balance())["USDT"]["total"] == 99_996.744994
        (funding,) = await exchange.fetch_funding_history(SYMBOL)
        assert funding["amount"] == -0.5000005
        (ticker,) = (await exchange.fetch_bids_asks([SYMBOL])).values()
        assert (ticker["bid"], ticker["ask"]) == (50_000.0, 50_000.1)
        assert (await exchange.fetch_funding_rate(SYMBOL))["markPrice"] == 50_000.05
        assert (await exchange.fetch_order_book(SYMBOL))["bids"] == [[50_000.0, 100.0]]
        assert (await exchange.fetch_ohlcv(SYMBOL, "1m"))[0][4] == 50_000.0
        assert (await exchange.fetch_position_mode(SYMBOL))["hedged"] is False


async def test_every_private_stream_tells_of_a_fill() -> None:
    async with trading() as (_, exchange):
        streams = {
            "orders": exchange.watch_orders(SYMBOL),
            "trades": exchange.watch_my_trades(SYMBOL),
            "positions": exchange.watch_positions([SYMBOL]),
        }
        watching = {name: asyncio.ensure_future(stream) for name, stream in streams.items()}
        placed, pending = set[str](), set(watching.values())
        while pending:  # nothing says when the last of them listens
            placed.add((await exchange.create_order(SYMBOL, "market", "buy", 0.001))["id"])
            _, pending = await asyncio.wait(pending, timeout=0.05)
        heard = {name: task.result() for name, task in watching.items()}
        assert heard["orders"][-1]["id"] in placed
        assert heard["trades"][-1]["order"] in placed
        assert heard["positions"][-1]["symbol"] == SYMBOL


async def test_a_conditional_order_reaches_the_stream_of_orders() -> None:
    async with trading() as (_, exchange):
        watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
        placed, pending = set[str](), {watching}
        while pending:
            stop = await exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 45_000})
            placed.add(stop["id"])
            await exchange.cancel_order(stop["id"], SYMBOL, {"trigger": True})
            _, pending = await asyncio.wait(pending, timeout=0.05)
        assert watching.result()[-1]["id"] in placed


async def test_the_public_streams_tell_prices() -> None:
    async with trading() as (desk, exchange):
        watching = asyncio.ensure_future(exchange.watch_bids_asks([SYMBOL]))
        pending = {watching}
        while pending:
            desk.quote("50100")
            _, pending = await asyncio.wait(pending, timeout=0.05)
        assert watching.result()[SYMBOL]["bid"] == 50_100.0
