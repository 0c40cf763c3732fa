"""Bybit's WebSockets: who may listen to what, what is told when, and how a line ends."""

import aiohttp
import pytest

from standfast.exchange.faults import Cut, Delayed, Doubled
from standfast.exchange.perpetual.orders import PriceBy
from tests.exchange.dialects.bybit_desk import ADA, BTC, bybit_desk
from tests.exchange.dialects.bybit_stream import Line, credentials, private_line, private_socket, public_line
from tests.exchange.perpetual.desk import D


async def test_nothing_can_be_heard_without_a_good_signature() -> None:
    async with bybit_desk() as desk, private_socket(desk) as socket:
        line = Line(socket)
        assert (await line.say("subscribe", "order"))["ret_msg"] == "Request not authorized"
        key, expires, signature = credentials(desk)
        assert not (await line.say("auth", "nobody", expires, signature))["success"]
        assert not (await line.say("auth", key, expires + 1, signature))["success"]
        assert (await line.say("auth", key, expires, signature))["success"]
        assert (await line.say("auth", key, expires, signature))["ret_msg"] == "Repeat auth"


async def test_an_authentication_that_has_expired_is_refused_where_clocks_are_checked() -> None:
    async with bybit_desk(checks_clock=True) as desk, private_socket(desk) as socket:
        assert (await Line(socket).say("auth", *credentials(desk, -1)))["ret_msg"] == "Request expired"


async def test_an_unknown_topic_is_refused_and_the_rest_with_it() -> None:
    async with bybit_desk() as desk, private_line(desk) as line:
        reply = await line.say("subscribe", "order", "weather")
        assert (reply["success"], reply["ret_msg"]) == (False, "error:handler not found,topic:weather")
        async with public_line(desk) as public:
            assert not (await public.say("subscribe", "tickers.NOUSDT"))["success"]


async def test_a_fill_is_told_on_every_topic_in_the_order_it_happened() -> None:
    async with bybit_desk() as desk, private_line(desk, "order", "execution", "position", "wallet") as line:
        await desk.place("Buy", "0.1", orderLinkId="mine")
        heard = [(await line.hear()) for _ in range(6)]
        assert [message["topic"] for message in heard] == [
            "order", "position", "execution", "order", "position", "wallet",
        ]  # fmt: skip
        assert heard[1]["data"][0]["size"] == "0"  # shown on whatever is done to an order, changed or not
        assert heard[3]["data"][0]["orderStatus"] == "Filled"
        assert heard[4]["data"][0]["size"] == "0.1"
        assert heard[4]["data"][0]["entryPrice"] == "50000.1"


async def test_a_category_of_a_topic_is_its_own_subscription() -> None:
    async with bybit_desk() as desk, private_line(desk, "order.linear") as line:
        await desk.place("Buy", "0.1")
        message = await line.hear()
        assert (message["topic"], message["data"][0]["category"]) == ("order.linear", "linear")


async def test_a_trigger_is_a_moment_between_waiting_and_working() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        async with private_line(desk, "order") as line:
            await desk.place("Sell", "0.1", triggerPrice="49000", triggerDirection=2, reduceOnly=True)
            desk.quote("48999")
            statuses = [row["orderStatus"] for row in await line.rows("order", 3)]
            assert statuses == ["Untriggered", "Triggered", "Filled"]


async def test_nothing_is_told_again_after_a_connection_was_lost() -> None:
    async with bybit_desk() as desk:
        async with private_line(desk, "order"):
            pass
        await desk.place("Buy", "0.1")
        async with private_line(desk, "order") as line:
            await desk.place("Buy", "0.2")
            (row,) = await line.rows("order", 1)
            assert row["qty"] == "0.2"


async def test_funding_and_forced_ends_are_executions_on_the_stream() -> None:
    async with bybit_desk() as desk, private_line(desk, "execution", "execution.fast") as line:
        await desk.place("Buy", "0.1")
        await line.rows("execution.fast", 1)
        desk.venue.engine.fund(BTC)
        desk.venue.engine.liquidate("main", BTC)
        kinds = [row["execType"] for row in await line.rows("execution", 2)]
        assert kinds == ["Funding", "BustTrade"]


async def test_a_settlement_is_an_execution_and_no_order() -> None:
    async with bybit_desk() as desk, private_line(desk, "order", "execution") as line:
        await desk.place("Buy", "0.1")
        await line.rows("execution", 1)
        await line.rows("order", 1)
        desk.venue.engine.settle(BTC, D(50_000))
        message = await line.hear()
        assert (message["topic"], message["data"][0]["execType"]) == ("execution", "Settle")


async def test_a_ping_is_answered_on_both_lines_in_their_own_way() -> None:
    async with bybit_desk() as desk, private_line(desk) as private, public_line(desk) as public:
        assert (await private.say("ping"))["op"] == "pong"
        reply = await public.say("ping", req_id="7")
        assert (reply["ret_msg"], reply["op"], reply["req_id"]) == ("pong", "ping", "7")


async def test_a_line_without_a_word_for_ten_minutes_is_cut() -> None:
    async with bybit_desk() as desk, private_line(desk) as line:
        desk.wait(590)
        await line.say("ping")
        desk.wait(590)
        assert (await line.say("ping"))["op"] == "pong"
        desk.wait(600)
        assert (await line.socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_unsubscribing_ends_a_topic() -> None:
    async with bybit_desk() as desk, public_line(desk) as line:
        await line.say("subscribe", f"tickers.{BTC}", f"orderbook.1.{BTC}")
        await line.hear()
        await line.hear()
        await line.say("unsubscribe", f"tickers.{BTC}")
        desk.quote("50100")
        assert (await line.hear())["topic"] == f"orderbook.1.{BTC}"


async def test_a_ticker_begins_whole_and_goes_on_with_what_changes() -> None:
    async with bybit_desk() as desk, public_line(desk) as line:
        await line.say("subscribe", f"tickers.{BTC}")
        first = await line.hear()
        desk.venue.engine.pin(BTC, PriceBy.MARK, D(49_000))
        desk.quote("50100")
        desk.quote("0.31", instrument=ADA, spread="0.0001")
        then = await line.hear()
        assert (first["type"], first["data"]["bid1Price"], first["data"]["markPrice"]) == (
            "snapshot", "50000", "50000.05",
        )  # fmt: skip
        assert (then["type"], then["data"]["bid1Price"], then["data"]["markPrice"]) == ("delta", "50100", "49000")


async def test_a_trade_of_an_account_is_told_to_the_public() -> None:
    async with bybit_desk() as desk, public_line(desk) as line:
        await line.say("subscribe", f"publicTrade.{BTC}")
        await desk.place("Buy", "0.1")
        (row,) = (await line.hear())["data"]
        assert (row["S"], row["v"], row["p"]) == ("Buy", "0.1", "50000.1")


# Faults


async def test_position_messages_may_lag_behind_order_messages() -> None:
    async with bybit_desk() as desk, private_line(desk, "order", "position") as line:
        desk.fault("position_stream", Delayed(seconds=3))
        await desk.place("Buy", "0.1")
        assert [row["orderStatus"] for row in await line.rows("order", 2)] == ["New", "Filled"]
        desk.wait(3)
        assert [row["size"] for row in await line.rows("position", 2)] == ["0", "0.1"]


async def test_a_message_may_come_twice() -> None:
    async with bybit_desk() as desk, private_line(desk, "execution") as line:
        desk.fault("stream", Doubled())
        await desk.place("Buy", "0.1")
        ids = [row["execId"] for row in await line.rows("execution", 2)]
        assert ids[0] == ids[1]


async def test_a_stream_may_be_cut_and_refused() -> None:
    async with bybit_desk() as desk:
        async with private_line(desk, "order") as line:
            desk.fault("stream", Cut(), count=1)
            await desk.place("Buy", "0.1")
            assert (await line.socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        desk.fault("stream_connect", Cut())
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await private_socket(desk)


# The dead man's switch


async def test_orders_are_cancelled_when_the_switch_was_left_too_long() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        await desk.post("position/trading-stop", stopLoss="45000")
        order = await desk.place("Buy", "0.1", orderType="Limit", price="40000")
        await desk.post("order/disconnected-cancel-all", timeWindow=10)
        assert (await desk.get("account/info"))["dcpStatus"] == "ON"
        async with private_line(desk, "dcp"):
            desk.wait(60)
            assert (await desk.order(order))["orderStatus"] == "New"
        while any(desk.venue.listeners()[0].values()):
            await desk.get("account/info")  # until the exchange has seen the line go
        desk.wait(9)
        assert (await desk.order(order))["orderStatus"] == "New"
        desk.wait(1)
        row = await desk.order(order)
        assert (row["orderStatus"], row["cancelType"]) == ("Cancelled", "CancelByDCP")
        (position,) = (await desk.get("position/list", symbol=BTC))["list"]
        assert position["stopLoss"] == "45000"


async def test_coming_back_in_time_keeps_the_orders() -> None:
    async with bybit_desk() as desk:
        order = await desk.place("Buy", "0.1", orderType="Limit", price="40000")
        await desk.post("order/disconnected-cancel-all", timeWindow=10)
        async with private_line(desk, "dcp"):
            pass
        while any(desk.venue.listeners()[0].values()):
            await desk.get("account/info")
        desk.wait(9)
        async with private_line(desk, "dcp"):
            desk.wait(60)
            assert (await desk.order(order))["orderStatus"] == "New"
