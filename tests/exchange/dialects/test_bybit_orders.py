"""Orders, stops and modes in Bybit's dialect: what is answered, what becomes of it, with which code it is refused."""

import pytest

from standfast.exchange.perpetual.rules import Scripted
from tests.exchange.dialects.bybit_desk import ADA, BTC, BybitDesk, bybit_desk
from tests.exchange.perpetual.desk import D


async def test_a_create_answers_with_two_ids_and_nothing_else() -> None:
    async with bybit_desk() as desk:
        result = await desk.post("order/create", side="Buy", orderType="Market", qty="0.1", orderLinkId="mine")
        assert result == {"orderId": result["orderId"], "orderLinkId": "mine"}
        row = await desk.order(result["orderId"])
        assert (row["orderStatus"], row["cumExecQty"], row["avgPrice"]) == ("Filled", "0.1", "50000.1")


async def test_a_duplicate_link_id_is_refused_even_when_its_order_has_finished() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1", orderLinkId="mine")
        code = await desk.refused("order/create", side="Buy", orderType="Market", qty="0.1", orderLinkId="mine")
        assert code == 110072
        assert await desk.held() == {(BTC, 0): "0.1"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"side": "Sell", "orderType": "Market", "qty": "0.1", "reduceOnly": True}, 110017),
        ({"side": "Buy", "orderType": "Market", "qty": "100"}, 110007),
        ({"side": "Buy", "orderType": "Limit", "qty": "0.1"}, 10001),
        ({"side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "200000"}, 110003),
        ({"side": "Up", "orderType": "Market", "qty": "0.1"}, 10001),
        ({"side": "Buy", "orderType": "Market", "qty": "many"}, 10001),
        ({"side": "Buy", "orderType": "Market", "qty": "0.0001"}, 10001),
        ({"side": "Buy", "orderType": "Market", "qty": "0.1", "positionIdx": 1}, 10001),
        ({"side": "Buy", "orderType": "Market", "qty": "0.1", "category": "spot"}, 10001),
        ({"side": "Buy", "orderType": "Market", "qty": "0.1", "orderLinkId": "a b"}, 10001),
        ({"side": "Buy", "orderType": "Market", "qty": "0.1", "triggerPrice": "1", "triggerDirection": 1}, 110092),
        ({"side": "Buy", "orderType": "Market", "qty": "0.1", "triggerPrice": "60000", "triggerDirection": 2}, 110093),
        ({"side": "Buy", "orderType": "Market", "qty": "0.1", "triggerPrice": "60000"}, 10001),
        ({"side": "Buy", "orderType": "Market", "qty": "0.1", "stopLoss": "60000"}, 10001),
    ],
)
async def test_a_bad_order_is_refused_with_its_own_code(body: dict[str, object], code: int) -> None:
    async with bybit_desk() as desk:
        assert await desk.refused("order/create", **body) == code
        assert await desk.held() == {}


async def test_below_the_least_value_is_refused() -> None:
    async with bybit_desk() as desk:
        code = await desk.refused("order/create", symbol=ADA, side="Buy", orderType="Market", qty="1")
        assert code == 110094


async def test_quantity_zero_closes_whatever_is_held() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.3")
        closing = await desk.place("Sell", "0", reduceOnly=True, closeOnTrigger=True)
        assert (await desk.order(closing))["cumExecQty"] == "0.3"
        assert await desk.held() == {}


async def test_a_cancelled_order_may_carry_fills() -> None:
    async with bybit_desk() as desk:
        desk.venue.engine.fills = Scripted({"slow": [D("0.4"), D(0)]})
        order = await desk.place("Buy", "0.1", orderType="Limit", price="50001", orderLinkId="slow")
        await desk.post("order/cancel", orderLinkId="slow")
        row = await desk.order(order)
        assert (row["orderStatus"], row["cumExecQty"], row["leavesQty"]) == ("Cancelled", "0.04", "0")
        assert row["cancelType"] == "CancelByUser"


async def test_a_cancel_by_a_key_that_bybit_does_not_know_names_no_order() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1", orderType="Limit", price="40000", orderLinkId="mine")
        assert await desk.refused("order/cancel", clientOrderId="mine") == 10001
        assert await desk.refused("order/cancel", orderId="nobody") == 110001


async def test_a_finished_order_is_too_late_to_cancel_or_amend() -> None:
    async with bybit_desk() as desk:
        order = await desk.place("Buy", "0.1")
        assert await desk.refused("order/cancel", orderId=order) == 110001
        assert await desk.refused("order/amend", orderId=order, qty="0.2") == 110001


async def test_an_amendment_keeps_the_id() -> None:
    async with bybit_desk() as desk:
        order = await desk.place("Buy", "0.1", orderType="Limit", price="40000")
        await desk.post("order/amend", orderId=order, price="41000", qty="0.2")
        row = await desk.order(order)
        assert (row["price"], row["qty"], row["orderStatus"]) == ("41000", "0.2", "New")
        assert await desk.refused("order/amend", orderId=order, price="41000", qty="0.2") == 10001


async def test_cancel_all_ends_conditional_orders_too_unless_told_which() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1", orderType="Limit", price="40000")
        await desk.place("Sell", "0.1", triggerPrice="45000", triggerDirection=2)
        stops = await desk.post("order/cancel-all", orderFilter="StopOrder")
        assert len(stops["list"]) == 1
        rest = await desk.post("order/cancel-all")
        assert (len(rest["list"]), rest["success"]) == (1, "1")


async def test_in_a_batch_each_has_its_own_answer() -> None:
    async with bybit_desk() as desk:
        good = {"symbol": BTC, "side": "Buy", "orderType": "Market", "qty": "0.1"}
        reply = await desk.ask(
            "POST", "order/create-batch", {"category": "linear", "request": [good, {**good, "qty": "0.00001"}]}
        )
        assert [row["code"] for row in reply["retExtInfo"]["list"]] == [0, 10001]
        assert [bool(row["orderId"]) for row in reply["result"]["list"]] == [True, False]
        assert await desk.held() == {(BTC, 0): "0.1"}


# Conditional orders and stops


async def test_a_conditional_order_is_untriggered_then_gone_with_the_same_id() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        stop = await desk.place("Sell", "0.1", triggerPrice="49000", triggerDirection=2, reduceOnly=True)
        row = await desk.order(stop)
        assert (row["orderStatus"], row["stopOrderType"], row["triggerPrice"]) == ("Untriggered", "Stop", "49000")
        desk.quote("48999")
        assert (await desk.order(stop))["orderStatus"] == "Filled"
        assert await desk.held() == {}


async def test_a_trading_stop_is_seen_on_the_position_and_as_an_order_of_all_that_is_held() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        assert await desk.post("position/trading-stop", stopLoss="49000", takeProfit="52000", tpslMode="Full") == {}
        (position,) = (await desk.get("position/list", symbol=BTC))["list"]
        assert (position["stopLoss"], position["takeProfit"]) == ("49000", "52000")
        await desk.place("Buy", "0.2")
        stops = (await desk.get("order/realtime", symbol=BTC, orderFilter="StopOrder"))["list"]
        assert {(row["stopOrderType"], row["qty"], row["reduceOnly"], row["closeOnTrigger"]) for row in stops} == {
            ("StopLoss", "0.3", True, True),
            ("TakeProfit", "0.3", True, True),
        }
        desk.quote("48999")
        assert await desk.held() == {}
        ended = {row["orderId"]: row for row in (await desk.get("order/history", symbol=BTC))["list"]}
        kinds = {row["stopOrderType"]: (row["orderStatus"], row["cancelType"]) for row in ended.values()}
        assert kinds["StopLoss"] == ("Filled", "UNKNOWN")
        assert kinds["TakeProfit"] == ("Cancelled", "CancelByTpSlTsClear")


async def test_setting_the_same_stop_again_is_said_to_change_nothing() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        await desk.post("position/trading-stop", stopLoss="49000", tpslMode="Full")
        assert await desk.refused("position/trading-stop", stopLoss="49000", tpslMode="Full") == 34040
        await desk.post("position/trading-stop", stopLoss="0", tpslMode="Full")
        (position,) = (await desk.get("position/list", symbol=BTC))["list"]
        assert position["stopLoss"] == ""


async def test_a_stop_on_the_wrong_side_and_one_for_nothing_are_refused() -> None:
    async with bybit_desk() as desk:
        assert await desk.refused("position/trading-stop", stopLoss="49000", tpslMode="Full") == 10001
        await desk.place("Sell", "0.1")
        assert await desk.refused("position/trading-stop", stopLoss="49000", tpslMode="Full") == 10001


async def test_partial_stops_are_added() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        for _ in range(2):
            await desk.post("position/trading-stop", stopLoss="49000", slSize="0.04", tpslMode="Partial")
        stops = (await desk.get("order/realtime", symbol=BTC))["list"]
        assert [(row["stopOrderType"], row["qty"]) for row in stops] == [("PartialStopLoss", "0.04")] * 2
        desk.quote("48999")
        assert await desk.held() == {(BTC, 0): "0.02"}


async def test_a_trailing_stop_is_shown_with_the_price_it_becomes_active_at() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        await desk.post("position/trading-stop", trailingStop="500", activePrice="51000")
        (row,) = (await desk.get("order/realtime", symbol=BTC))["list"]
        assert (row["stopOrderType"], row["triggerPrice"]) == ("TrailingStop", "51000")
        desk.quote("51200")
        desk.quote("50699")
        assert await desk.held() == {}


async def test_an_entry_brings_its_stops() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1", orderType="Limit", price="49500", stopLoss="48000", takeProfit="55000")
        desk.quote("49400")
        (position,) = (await desk.get("position/list", symbol=BTC))["list"]
        assert (position["size"], position["stopLoss"], position["takeProfit"]) == ("0.1", "48000", "55000")


# Modes


async def test_hedge_mode_needs_a_side_and_keeps_two_positions() -> None:
    async with bybit_desk() as desk:
        await desk.post("position/switch-mode", mode=3)
        assert await desk.refused("position/switch-mode", mode=3) == 110025
        assert await desk.refused("order/create", side="Buy", orderType="Market", qty="0.1") == 10001
        await desk.place("Buy", "0.1", positionIdx=1)
        await desk.place("Sell", "0.2", positionIdx=2)
        assert await desk.held() == {(BTC, 1): "0.1", (BTC, 2): "-0.2"}
        assert len((await desk.get("position/list", symbol=BTC))["list"]) == 2


async def test_a_hedged_stop_sent_to_the_wrong_side_protects_nothing() -> None:
    """What ccxt sends for `hedged=True` without reduceOnly (brokers/README §5.4): taken, and rejected when it fires."""
    async with bybit_desk() as desk:
        await desk.post("position/switch-mode", mode=3)
        await desk.place("Buy", "0.1", positionIdx=1)
        stop = await desk.place("Sell", "0.1", positionIdx=2, reduceOnly=True, triggerPrice="49000", triggerDirection=2)
        desk.quote("48000")
        assert (await desk.order(stop))["orderStatus"] == "Rejected"
        assert await desk.held() == {(BTC, 1): "0.1"}


async def test_modes_cannot_change_under_a_position_or_an_order() -> None:
    async with bybit_desk() as desk:
        order = await desk.place("Buy", "0.1", orderType="Limit", price="40000")
        assert await desk.refused("position/switch-mode", mode=3) == 110028
        await desk.post("order/cancel", orderId=order)
        await desk.place("Buy", "0.1")
        assert await desk.refused("position/switch-mode", mode=3) == 110024


async def test_leverage_that_is_so_already_is_said_to_be() -> None:
    async with bybit_desk() as desk:
        await desk.post("position/set-leverage", buyLeverage="20", sellLeverage="20")
        assert await desk.refused("position/set-leverage", buyLeverage="20", sellLeverage="20") == 110043
        assert await desk.refused("position/set-leverage", buyLeverage="20", sellLeverage="10") == 10001
        assert await desk.refused("position/set-leverage", buyLeverage="1000", sellLeverage="1000") == 110013


async def test_a_mode_may_be_set_for_every_contract_of_a_coin() -> None:
    async with bybit_desk() as desk:
        reply = await desk.ask("POST", "position/switch-mode", {"category": "linear", "coin": "USDT", "mode": 3})
        assert reply["retCode"] == 0
        assert len((await desk.get("position/list", symbol=ADA))["list"]) == 2


async def test_isolated_margin_is_an_account_wide_mode() -> None:
    async with bybit_desk() as desk:
        await desk.post("account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
        assert (await desk.get("account/info"))["marginMode"] == "ISOLATED_MARGIN"
        assert await desk.refused("account/set-margin-mode", setMarginMode="ISOLATED_MARGIN") == 110026
        await desk.place("Buy", "0.1")
        (position,) = (await desk.get("position/list", symbol=BTC))["list"]
        assert (position["tradeMode"], position["positionBalance"]) == (1, "500.001")


# What nobody asked for


async def forced(desk: BybitDesk) -> tuple[str, str, str]:
    (row, *_) = (await desk.get("execution/list", symbol=BTC))["list"]
    return row["execType"], row["createType"], row["closedSize"]


async def test_a_liquidation_a_deleveraging_and_a_settlement_say_what_they_are() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.3")
        desk.venue.engine.deleverage("main", BTC, 0, D("0.1"), D(50_000))
        assert await forced(desk) == ("AdlTrade", "CreateByAdl_PassThrough", "0.1")
        desk.venue.engine.liquidate("main", BTC)
        assert await forced(desk) == ("BustTrade", "CreateByTakeOver_PassThrough", "0.2")
        await desk.place("Buy", "0.1")
        desk.venue.engine.settle(BTC, D(50_000))
        assert await forced(desk) == ("Settle", "CreateBySettle", "0.1")
        orders = (await desk.get("order/history", symbol=BTC))["list"]
        assert "CreateBySettle" not in {row["createType"] for row in orders}
        assert await desk.refused("order/create", side="Buy", orderType="Market", qty="0.1") == 110066


async def test_funding_is_an_execution_and_no_trade() -> None:
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        desk.wait(8 * 3600)
        trades = (await desk.get("execution/list", symbol=BTC, execType="Trade"))["list"]
        (funding,) = (await desk.get("execution/list", symbol=BTC, execType="Funding"))["list"]
        assert len(trades) == 1
        assert (funding["orderType"], funding["execQty"], funding["feeRate"]) == ("UNKNOWN", "0.1", "0.0001")
        log = (await desk.get("account/transaction-log"))["list"]
        assert [row["type"] for row in log] == ["SETTLEMENT", "TRADE"]
