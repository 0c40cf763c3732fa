"""Binance's WebSockets: who may listen to what, what is told when, and how a line ends."""

import aiohttp
import pytest

from standfast.exchange.faults import Cut, Delayed
from tests.exchange.dialects.binance_desk import BTC, binance_desk
from tests.exchange.dialects.binance_stream import market_line, user_line


async def test_a_stream_needs_a_good_listen_key() -> None:
    async with binance_desk() as desk:
        for path in ("/private/ws?listenKey=nobody", "/private/ws"):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await desk.session.ws_connect(f"{desk.server.stream_url}{path}")


async def test_the_key_stands_in_the_path_too() -> None:
    async with binance_desk() as desk:
        key = (await desk.post("v1/listenKey"))["listenKey"]
        assert (await desk.post("v1/listenKey"))["listenKey"] == key
        async with desk.session.ws_connect(f"{desk.server.stream_url}/private/ws/{key}") as socket:
            await desk.place("BUY", "0.1")
            assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT


async def test_a_fill_is_an_order_update_and_an_account_update_of_what_changed() -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        await desk.place("BUY", "0.1", newClientOrderId="mine")
        heard = [await line.hear() for _ in range(4)]
        assert [message["e"] for message in heard] == [
            "ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE",
        ]  # fmt: skip
        placed, filled, _, account = heard
        assert (placed["o"]["x"], filled["o"]["x"], filled["o"]["X"], filled["o"]["c"]) == (
            "NEW", "TRADE", "FILLED", "mine",
        )  # fmt: skip
        (row,) = account["a"]["P"]
        assert (account["a"]["m"], row["s"], row["pa"], row["ps"]) == ("ORDER", BTC, "0.1", "BOTH")


async def test_cancelled_amended_and_expired_orders_are_told_in_their_words() -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        limit = {"type": "LIMIT", "price": "40000"}
        row = await desk.place("BUY", "0.1", **limit)
        given = {"symbol": BTC, "orderId": row["orderId"], "side": "BUY", "quantity": "0.2", "price": "41000"}
        await desk.ask("PUT", "v1/order", given)
        await desk.delete("v1/order", orderId=row["orderId"])
        await desk.place("BUY", "0.1", **limit, timeInForce="IOC")
        told = [(await line.of("ORDER_TRADE_UPDATE"))["o"] for _ in range(5)]
        assert [(each["x"], each["X"]) for each in told] == [
            ("NEW", "NEW"), ("AMENDMENT", "NEW"), ("CANCELED", "CANCELED"), ("NEW", "NEW"), ("EXPIRED", "EXPIRED"),
        ]  # fmt: skip


async def test_a_stop_that_fails_to_become_an_order_is_told_with_its_reason() -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        await desk.stop("SELL", "49000", quantity="0.1", reduceOnly=True)
        desk.quote("48999")
        rejected = await line.of("CONDITIONAL_ORDER_TRIGGER_REJECT")
        assert rejected["or"]["r"] == "nothing left to reduce"


async def test_funding_and_transfers_are_account_updates_without_positions() -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        await desk.place("BUY", "0.1")
        await line.of("ACCOUNT_UPDATE")
        desk.venue.engine.fund(BTC)
        desk.venue.engine.move_cash("main", desk.venue.engine.books("main").wallet)
        for reason in ("FUNDING_FEE", "DEPOSIT"):
            told = (await line.of("ACCOUNT_UPDATE"))["a"]
            assert (told["m"], told["P"]) == (reason, [])


async def test_a_change_of_leverage_is_told() -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        await desk.post("v1/leverage", leverage=20)
        assert (await line.of("ACCOUNT_CONFIG_UPDATE"))["ac"] == {"s": BTC, "l": 20}


async def test_a_listen_key_ends_after_an_hour_unless_it_is_kept_alive() -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        desk.wait(50 * 60)
        await desk.ask("PUT", "v1/listenKey")
        desk.wait(50 * 60)
        assert (await desk.ask("PUT", "v1/listenKey")).status == 200
        desk.wait(61 * 60)
        assert (await line.of("listenKeyExpired"))["listenKey"]
        assert (await desk.ask("PUT", "v1/listenKey")).json["code"] == -1125


async def test_market_streams_tell_what_was_subscribed_until_it_is_not() -> None:
    async with binance_desk() as desk, market_line(desk, "btcusdt@bookTicker", "btcusdt@aggTrade") as line:
        desk.quote("50100")
        assert (await line.hear())["b"] == "50100"
        await desk.place("BUY", "0.1")
        trade = await line.hear()
        assert (trade["e"], trade["p"], trade["q"], trade["m"]) == ("aggTrade", "50100.1", "0.1", False)
        await line.say("UNSUBSCRIBE", "btcusdt@bookTicker")
        desk.quote("50200")
        await desk.place("SELL", "0.1")
        assert (await line.hear())["m"] is True


async def test_positions_may_be_told_later_than_orders() -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        desk.fault("position_stream", Delayed(seconds=3))
        await desk.place("BUY", "0.1")
        assert [(await line.hear())["e"] for _ in range(3)] == ["ORDER_TRADE_UPDATE"] * 2 + ["TRADE_LITE"]
        desk.wait(3)
        assert (await line.hear())["e"] == "ACCOUNT_UPDATE"


async def test_a_stream_may_be_cut_and_refused() -> None:
    async with binance_desk() as desk:
        async with user_line(desk) as line:
            desk.fault("stream", Cut(), count=1)
            await desk.place("BUY", "0.1")
            assert (await line.socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        desk.fault("stream_connect", Cut())
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with user_line(desk):
                pass
