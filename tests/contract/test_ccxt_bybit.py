"""Unmodified ccxt and ccxt.pro trade on the simulated Bybit (brokers/README §5.4)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import pytest

from tests.contract.ccxt_clients import SYMBOL, client
from tests.exchange.dialects.bybit_desk import BTC, KEY, SECRET, BybitDesk, bybit_desk


@asynccontextmanager
async def trading() -> AsyncIterator[tuple[BybitDesk, Any]]:
    async with bybit_desk() as desk, client("bybit", desk.server, KEY, SECRET) as exchange:
        await exchange.load_markets()
        yield desk, exchange


async def test_markets_have_their_steps_and_limits() -> None:
    async with trading() as (_, exchange):
        market = exchange.market(SYMBOL)
        assert (market["swap"], market["linear"], market["contractSize"]) == (True, True, 1.0)
        assert market["precision"] == {"amount": 0.001, "price": 0.1}
        assert market["limits"]["cost"]["min"] == 5.0


async def test_an_order_answers_with_ids_and_is_then_found_filled() -> None:
    async with trading() as (_, exchange):
        order = await exchange.create_order(SYMBOL, "market", "buy", 0.1, None, {"clientOrderId": "mine"})
        assert (order["status"], order["clientOrderId"]) == (None, "mine")
        (closed,) = await exchange.fetch_closed_orders(SYMBOL)
        assert (closed["id"], closed["status"], closed["filled"], closed["average"]) == (
            order["id"], "closed", 0.1, 50000.1,
        )  # fmt: skip
        (position,) = [held for held in await exchange.fetch_positions() if held["contracts"]]
        assert (position["symbol"], position["side"], position["contracts"]) == (SYMBOL, "long", 0.1)
        (trade,) = await exchange.fetch_my_trades(SYMBOL)
        assert (trade["order"], trade["fee"]["cost"]) == (order["id"], 2.7500055)


async def test_a_stop_is_a_conditional_order_seen_with_trigger() -> None:
    async with trading() as (desk, exchange):
        await exchange.create_order(SYMBOL, "market", "buy", 0.1)
        stop = await exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 49_000})
        (found,) = await exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
        assert (found["id"], found["triggerPrice"], found["reduceOnly"]) == (stop["id"], 49_000.0, True)
        desk.quote("48900")
        assert [held["contracts"] for held in await exchange.fetch_positions([SYMBOL])] == [0.0]


async def test_a_flat_position_is_a_row_without_a_side() -> None:
    async with trading() as (_, exchange):
        (position,) = await exchange.fetch_positions([SYMBOL])
        assert (position["side"], position["contracts"]) == (None, 0.0)


async def test_an_entry_brings_its_stops_and_a_trading_stop_moves_them() -> None:
    async with trading() as (desk, exchange):
        await exchange.create_order(
            SYMBOL,
            "limit",
            "buy",
            0.1,
            49_900,
            {"stopLoss": {"triggerPrice": 48_000}, "takeProfit": {"triggerPrice": 55_000}},
        )
        desk.quote("49800")
        position = await exchange.fetch_position(SYMBOL)
        assert (position["stopLossPrice"], position["takeProfitPrice"]) == (48_000.0, 55_000.0)
        await exchange.create_order(
            SYMBOL, "market", "sell", 0.1, None, {"trailingAmount": "500", "trailingTriggerPrice": "51000"}
        )
        assert (await exchange.fetch_position(SYMBOL))["info"]["trailingStop"] == "500"


async def test_orders_are_amended_and_cancelled() -> None:
    async with trading() as (_, exchange):
        order = await exchange.create_order(SYMBOL, "limit", "buy", 0.1, 40_000)
        await exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 0.2, 41_000)
        (found,) = await exchange.fetch_open_orders(SYMBOL)
        assert (found["amount"], found["price"]) == (0.2, 41_000.0)
        await exchange.cancel_order(order["id"], SYMBOL)
        (cancelled,) = await exchange.fetch_canceled_orders(SYMBOL)
        assert cancelled["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order(order["id"], SYMBOL)


async def test_refusals_are_the_errors_that_ccxt_knows() -> None:
    async with trading() as (_, exchange):
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.create_order(SYMBOL, "market", "buy", 100)
        await exchange.create_order(SYMBOL, "market", "buy", 0.1, None, {"clientOrderId": "mine"})
        with pytest.raises(ccxt.InvalidOrder):
            await exchange.create_order(SYMBOL, "market", "buy", 0.1, None, {"clientOrderId": "mine"})
        with pytest.raises(ccxt.BadRequest):
            await exchange.set_leverage(10, SYMBOL)


async def test_hedge_mode_keeps_two_sides_and_ccxt_sends_the_stop_to_the_wrong_one() -> None:
    async with trading() as (desk, exchange):
        await exchange.set_position_mode(True, SYMBOL)
        await exchange.create_order(SYMBOL, "market", "buy", 0.1, None, {"positionIdx": 1})
        await exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"hedged": True, "stopLossPrice": 49_000})
        desk.quote("48000")
        assert await desk.held() == {(BTC, 1): "0.1"}


async def test_balance_results_funding_and_the_ledger_are_read() -> None:
    async with trading() as (desk, exchange):
        await exchange.set_leverage(20, SYMBOL)
        await exchange.create_order(SYMBOL, "market", "buy", 0.1)
        desk.wait(8 * 3600)
        await exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"reduceOnly": True})
        assert (await exchange.fetch_balance())["USDT"]["total"] == 99_993.989994
        (funding,) = await exchange.fetch_funding_history(SYMBOL)
        assert abs(funding["amount"]) == 0.5000005
        assert {row["type"] for row in await exchange.fetch_ledger("USDT")} >= {"trade"}
        assert (await exchange.fetch_trading_fee(SYMBOL))["taker"] == 0.00055
        (closed,) = await exchange.fetch_positions_history([SYMBOL])
        assert closed["info"]["closedSize"] == "0.1"


async def test_market_data_is_read() -> None:
    async with trading() as (_, exchange):
        ticker = await exchange.fetch_ticker(SYMBOL)
        assert (ticker["bid"], ticker["ask"], ticker["markPrice"]) == (50_000.0, 50_000.1, 50_000.05)
        book = await exchange.fetch_order_book(SYMBOL)
        assert book["bids"] == [[50_000.0, 100.0]]
        assert (await exchange.fetch_funding_rate(SYMBOL))["fundingRate"] == 0.0001
        assert (await exchange.fetch_ohlcv(SYMBOL, "1m"))[0][4] == 50_000.0
        assert await exchange.fetch_time() == 1_767_574_800_000
        (tier,) = await exchange.fetch_market_leverage_tiers(SYMBOL)
        assert tier["maxLeverage"] == 100.0


async def test_every_private_stream_tells_of_a_fill() -> None:
    async with trading() as (_, exchange):
        streams = {
            "orders": exchange.watch_orders(SYMBOL),
            "trades": exchange.watch_my_trades(SYMBOL),
            "positions": exchange.watch_positions([SYMBOL]),
            "balance": exchange.watch_balance(),
        }
        watching = {name: asyncio.ensure_future(stream) for name, stream in streams.items()}
        placed, pending = set[str](), set(watching.values())
        while pending:  # nothing says when the last of them listens
            placed.add((await exchange.create_order(SYMBOL, "market", "buy", 0.001))["id"])
            _, pending = await asyncio.wait(pending, timeout=0.05)
        heard = {name: task.result() for name, task in watching.items()}
        assert heard["orders"][-1]["id"] in placed
        assert heard["trades"][-1]["order"] in placed
        assert (heard["positions"][-1]["symbol"], heard["positions"][-1]["side"]) == (SYMBOL, "long")
        assert heard["balance"]["USDT"]["total"] < 100_000


async def test_the_public_stream_tells_prices() -> None:
    async with trading() as (desk, exchange):
        first = await exchange.watch_ticker(SYMBOL)
        assert first["bid"] == 50_000.0
        desk.quote("50100")
        assert (await exchange.watch_ticker(SYMBOL))["bid"] == 50_100.0
        book = await exchange.watch_order_book(SYMBOL)
        assert book["bids"][0][0] == 50_100.0
        best = await exchange.watch_bids_asks([SYMBOL])
        assert best[SYMBOL]["ask"] == 50_100.1
