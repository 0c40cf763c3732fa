"""Bybit's lists: their pages, their windows, what is in them and what a fault leaves of it."""

from datetime import timedelta
from typing import Any

import pytest

from standfast.exchange.dialects.bybit import Limits
from standfast.exchange.dialects.bybit.wire import milliseconds
from standfast.exchange.faults import EmptyList, Garbled, PartialList, RateLimited, Reset, Stale
from tests.exchange.dialects.bybit_desk import ADA, BTC, BybitDesk, bybit_desk


async def pages(desk: BybitDesk, path: str, **query: Any) -> list[list[Any]]:
    found, cursor = list[list[Any]](), ""
    while True:
        result = await desk.get(path, **query, **({"cursor": cursor} if cursor else {}))
        found.append(result["list"])
        cursor = result["nextPageCursor"]
        if not cursor:
            return found


async def test_orders_come_newest_first_twenty_on_a_page() -> None:
    async with bybit_desk() as desk:
        placed = [await desk.place("Buy", "0.001", orderType="Limit", price="40000") for _ in range(45)]
        found = await pages(desk, "order/realtime", symbol=BTC)
        assert [len(page) for page in found] == [20, 20, 5]
        assert [row["orderId"] for page in found for row in page] == placed[::-1]
        assert [len(page) for page in await pages(desk, "order/realtime", symbol=BTC, limit=50)] == [45]


async def test_working_orders_and_conditional_ones_are_told_apart_by_a_filter() -> None:
    async with bybit_desk() as desk:
        plain = await desk.place("Buy", "0.1", orderType="Limit", price="40000")
        stop = await desk.place("Sell", "0.1", triggerPrice="45000", triggerDirection=2)
        for wanted, expected in (("Order", {plain}), ("StopOrder", {stop}), (None, {plain, stop})):
            query = {} if wanted is None else {"orderFilter": wanted}
            rows = (await desk.get("order/realtime", settleCoin="USDT", **query))["list"]
            assert {row["orderId"] for row in rows} == expected


async def test_finished_orders_are_asked_for_or_found_by_id() -> None:
    async with bybit_desk() as desk:
        order = await desk.place("Buy", "0.1", orderLinkId="mine")
        assert (await desk.get("order/realtime", symbol=BTC))["list"] == []
        assert len((await desk.get("order/realtime", symbol=BTC, openOnly=1))["list"]) == 1
        (row,) = (await desk.get("order/realtime", orderLinkId="mine"))["list"]
        assert row["orderId"] == order


async def test_an_order_id_goes_before_a_link_id() -> None:
    """ccxt sends the text `None` as order id (brokers/README §5.4): nothing is found."""
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1", orderLinkId="mine")
        assert (await desk.get("order/realtime", symbol=BTC, orderId="None", orderLinkId="mine"))["list"] == []


async def test_a_cancelled_order_without_a_fill_is_forgotten_after_a_day() -> None:
    async with bybit_desk() as desk:
        cancelled = await desk.place("Buy", "0.1", orderType="Limit", price="40000")
        filled = await desk.place("Buy", "0.1")
        await desk.post("order/cancel", orderId=cancelled)
        desk.wait(timedelta(hours=23).total_seconds())
        assert len((await desk.get("order/history", symbol=BTC))["list"]) == 2
        desk.wait(timedelta(hours=2).total_seconds())
        assert [row["orderId"] for row in (await desk.get("order/history", symbol=BTC))["list"]] == [filled]
        assert (await desk.get("order/history", symbol=BTC, orderStatus="Filled"))["list"]


async def test_lists_need_to_be_told_of_what() -> None:
    async with bybit_desk() as desk:
        for path in ("order/realtime", "position/list"):
            reply = await desk.ask("GET", path, {"category": "linear"})
            assert reply["retCode"] == 10001


async def test_a_flat_position_is_a_row_where_its_symbol_is_asked_for_and_none_where_its_coin_is() -> None:
    async with bybit_desk() as desk:
        (row,) = (await desk.get("position/list", symbol=BTC))["list"]
        assert (row["side"], row["size"], row["avgPrice"], row["liqPrice"]) == ("", "0", "0", "")
        assert (await desk.get("position/list", settleCoin="USDT"))["list"] == []


async def test_executions_are_of_a_week_at_most() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        now = milliseconds(desk.venue.now)
        week = 7 * 24 * 3600 * 1000
        reply = await desk.ask(
            "GET", "execution/list", {"category": "linear", "startTime": now - week - 1, "endTime": now}
        )
        assert reply["retCode"] == 10001
        assert len((await desk.get("execution/list", startTime=now - week, endTime=now))["list"]) == 1
        desk.wait(8 * 24 * 3600)
        assert (await desk.get("execution/list", execType="Trade"))["list"] == []


async def test_other_categories_are_empty_to_read() -> None:
    async with bybit_desk() as desk:
        reply = await desk.ask("GET", "position/list", {"category": "inverse", "settleCoin": "BTC"})
        assert (reply["retCode"], reply["result"]["list"]) == (0, [])
        assert (await desk.ask("GET", "position/list", {"category": "bonds"}))["retCode"] == 10001


async def test_the_wallet_counts_what_is_not_realised() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "1")
        desk.quote("51000")
        (row,) = (await desk.get("account/wallet-balance", accountType="UNIFIED"))["list"]
        assert (row["totalWalletBalance"], row["totalPerpUPL"]) == ("99972.499945", "999.95")
        assert row["totalEquity"] == row["coin"][0]["equity"] == "100972.449945"
        assert row["totalInitialMargin"] == "5100.005"


async def test_a_closed_result_is_one_row_with_the_fees_of_its_exit() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        await desk.place("Sell", "0.1", reduceOnly=True)
        (row,) = (await desk.get("position/closed-pnl", symbol=BTC))["list"]
        assert (row["side"], row["qty"], row["avgEntryPrice"], row["avgExitPrice"]) == (
            "Sell", "0.1", "50000.1", "50000",
        )  # fmt: skip
        assert row["closedPnl"] == "-2.76"


# Who asks, and how often


async def test_a_wrong_key_a_wrong_signature_and_a_wrong_clock_have_codes_of_their_own() -> None:
    async with bybit_desk(checks_clock=True) as desk:
        headers: tuple[dict[str, str], ...] = ({"X-BAPI-API-KEY": "nobody"}, {"X-BAPI-SIGN": "0"}, {})
        codes = [(await desk.ask("GET", "account/info", None, **sent))["retCode"] for sent in headers]
        assert codes == [10003, 10004, 0]


@pytest.mark.parametrize(("seconds", "code"), [(-6, 10002), (-4, 0), (0.5, 0), (2, 10002)])
async def test_a_stamp_from_another_time_is_refused_where_clocks_are_checked(seconds: float, code: int) -> None:
    async with bybit_desk(checks_clock=True) as desk:
        desk.clock_off_by = seconds
        assert (await desk.ask("GET", "account/info"))["retCode"] == code


async def test_a_budget_that_is_used_up_answers_10006_with_status_200() -> None:
    async with bybit_desk(limits=Limits(reads=2)) as desk:
        codes = [(await desk.ask("GET", "account/info"))["retCode"] for _ in range(3)]
        assert codes == [0, 0, 10006]
        desk.wait(1)
        assert (await desk.ask("GET", "account/info"))["retCode"] == 0


# Faults


async def test_positions_may_trail_the_orders() -> None:
    async with bybit_desk() as desk:
        desk.fault("positions", Stale(age=5))
        order = await desk.place("Buy", "0.1")
        assert (await desk.order(order))["orderStatus"] == "Filled"
        assert await desk.held() == {}
        (row,) = (await desk.get("position/list", symbol=BTC))["list"]
        assert row["size"] == "0"
        desk.wait(5)
        assert await desk.held() == {(BTC, 0): "0.1"}


async def test_by_how_much_may_be_drawn_for_each_read() -> None:
    async with bybit_desk() as desk:
        desk.fault("positions", Stale(age=0, at_most=30))
        await desk.place("Buy", "0.1")
        desk.wait(15)
        seen = {bool(await desk.held()) for _ in range(40)}
        assert seen == {True, False}
        desk.wait(15)
        assert await desk.held() == {(BTC, 0): "0.1"}


async def test_a_stale_list_of_orders_shows_one_that_has_been_filled_since() -> None:
    async with bybit_desk() as desk:
        order = await desk.place("Buy", "0.1", orderType="Limit", price="49000")
        desk.wait(10)
        desk.quote("48900")
        desk.fault("orders", Stale(age=5))
        rows = (await desk.get("order/realtime", symbol=BTC))["list"]
        assert [(row["orderId"], row["orderStatus"]) for row in rows] == [(order, "New")]


@pytest.mark.parametrize("fault", [EmptyList(), PartialList(without=(BTC,))])
async def test_a_list_may_lack_rows(fault: EmptyList | PartialList) -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        desk.fault("positions", fault)
        assert await desk.held() == {}


async def test_an_accepted_order_whose_answer_is_lost_is_found_by_its_link_id() -> None:
    async with bybit_desk() as desk:
        desk.fault("submit", Reset(after=True), count=1)
        with pytest.raises(OSError, match=r"."):
            await desk.place("Buy", "0.1", orderLinkId="mine")
        (row,) = (await desk.get("order/realtime", orderLinkId="mine"))["list"]
        assert row["orderStatus"] == "Filled"


async def test_faults_pick_the_instrument_in_a_body() -> None:
    async with bybit_desk() as desk:
        desk.fault("submit", RateLimited(), instrument=ADA)
        await desk.place("Buy", "0.1")
        assert await desk.refused("order/create", symbol=ADA, side="Buy", orderType="Market", qty="100") == 10006


async def test_a_garbled_answer_is_html_with_status_200() -> None:
    async with bybit_desk() as desk:
        desk.fault("positions", Garbled())
        url = f"{desk.server.url}/v5/market/time"
        async with desk.session.get(url) as reply:
            assert reply.status == 200
        with pytest.raises(Exception, match="malformed"):
            await desk.held()
