"""Binance's orders, plain and conditional: what is answered, what becomes of it, with which code it is refused."""

import pytest

from standfast.exchange.dialects.binance import Limits
from standfast.exchange.perpetual.rules import Scripted
from tests.exchange.dialects.binance_desk import ADA, BTC, binance_desk
from tests.exchange.perpetual.desk import D


async def test_a_market_order_answers_with_its_end_and_without_its_average() -> None:
    async with binance_desk() as desk:
        row = await desk.place("BUY", "0.1", newClientOrderId="mine")
        assert (row["status"], row["executedQty"], "avgPrice" in row) == ("FILLED", "0.1", False)
        found = await desk.get("v1/order", symbol=BTC, origClientOrderId="mine")
        assert (found["orderId"], found["avgPrice"]) == (row["orderId"], "50000.10000000")


async def test_a_client_id_is_taken_only_while_its_order_works() -> None:
    async with binance_desk() as desk:
        limit = {"type": "LIMIT", "timeInForce": "GTC", "price": "40000", "newClientOrderId": "mine"}
        await desk.place("BUY", "0.1", **limit)
        assert await desk.refused("v1/order", side="BUY", quantity="0.1", **limit) == -4116
        await desk.delete("v1/order", origClientOrderId="mine")
        again = await desk.place("BUY", "0.2", **limit)
        assert (await desk.get("v1/order", symbol=BTC, origClientOrderId="mine"))["orderId"] == again["orderId"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"type": "MARKET", "quantity": "0.1", "reduceOnly": True}, -2022),
        ({"type": "MARKET", "quantity": "100"}, -2019),
        ({"type": "MARKET"}, -1102),
        ({"type": "LIMIT", "quantity": "0.1"}, -1102),
        ({"type": "LIMIT", "quantity": "0.1", "price": "200000"}, -4131),
        ({"type": "LIMIT", "quantity": "0.1", "price": "50000.05"}, -1111),
        ({"type": "LIMIT", "quantity": "0.1", "price": "60000", "timeInForce": "GTX"}, -5022),
        ({"type": "MARKET", "quantity": "0.1", "positionSide": "LONG"}, -4061),
        ({"type": "MARKET", "quantity": "many"}, -1100),
        ({"type": "MARKET", "quantity": "0.0001"}, -4003),
        ({"type": "STOP_MARKET", "quantity": "0.1", "stopPrice": "49000"}, -4120),
        ({"type": "WISH", "quantity": "0.1"}, -1116),
        ({"type": "MARKET", "quantity": "0.1", "symbol": "NOUSDT"}, -1121),
        ({"type": "MARKET", "quantity": "0.1", "newClientOrderId": "a b"}, -4015),
    ],
)
async def test_a_bad_order_is_refused_with_its_own_code(given: dict[str, object], code: int) -> None:
    async with binance_desk() as desk:
        assert await desk.refused("v1/order", side="BUY", **given) == code
        assert await desk.held() == {}


async def test_below_the_least_value_is_refused_and_a_try_changes_nothing() -> None:
    async with binance_desk() as desk:
        code = await desk.refused("v1/order", symbol=ADA, side="BUY", type="MARKET", quantity="1")
        assert code == -4164
        assert (await desk.post("v1/order/test", side="BUY", type="MARKET", quantity="0.1"))["status"] == "NEW"
        assert await desk.held() == {}


async def test_what_ends_by_itself_is_expired_and_what_is_cancelled_may_carry_fills() -> None:
    async with binance_desk() as desk:
        ioc = await desk.place("BUY", "0.1", type="LIMIT", price="40000", timeInForce="IOC")
        assert ioc["status"] == "EXPIRED"
        desk.venue.engine.fills = Scripted({"slow": [D("0.4"), D(0)]})
        await desk.place("BUY", "0.1", type="LIMIT", price="50001", newClientOrderId="slow")
        cancelled = await desk.delete("v1/order", origClientOrderId="slow")
        assert (cancelled["status"], cancelled["executedQty"]) == ("CANCELED", "0.04")


async def test_a_finished_order_cannot_be_cancelled_and_an_unknown_one_not_be_found() -> None:
    async with binance_desk() as desk:
        row = await desk.place("BUY", "0.1")
        assert await desk.refused("v1/order", "DELETE", orderId=row["orderId"]) == -2011
        assert await desk.refused("v1/order", "GET", orderId=1) == -2013
        assert await desk.refused("v1/order", "GET", origClientOrderId="nobody") == -2013


async def test_a_limit_order_is_modified_in_its_place() -> None:
    async with binance_desk() as desk:
        row = await desk.place("BUY", "0.1", type="LIMIT", price="40000", timeInForce="GTC")
        answer = await desk.ask(
            "PUT",
            "v1/order",
            {"symbol": BTC, "orderId": row["orderId"], "side": "BUY", "quantity": "0.2", "price": "41000"},
        )
        assert (answer.json["orderId"], answer.json["price"], answer.json["origQty"]) == (
            row["orderId"],
            "41000",
            "0.2",
        )
        assert await desk.refused("v1/order", "PUT", orderId=row["orderId"], quantity="0.2", price="41000") == -5027


async def test_a_cancelled_order_without_a_fill_is_forgotten_after_three_days() -> None:
    async with binance_desk() as desk:
        row = await desk.place("BUY", "0.1", type="LIMIT", price="40000")
        await desk.delete("v1/order", orderId=row["orderId"])
        desk.wait(2 * 86_400)
        assert (await desk.get("v1/order", symbol=BTC, orderId=row["orderId"]))["status"] == "CANCELED"
        desk.wait(2 * 86_400)
        assert await desk.refused("v1/order", "GET", orderId=row["orderId"]) == -2013


async def test_in_a_batch_each_has_its_own_answer() -> None:
    async with binance_desk() as desk:
        good = '{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.1"}'
        bad = '{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"100"}'
        rows = await desk.post("v1/batchOrders", batchOrders=f"[{good},{bad}]")
        assert (rows[0]["status"], rows[1]["code"]) == ("FILLED", -2019)


# Conditional orders


async def test_a_conditional_order_is_nowhere_but_among_the_conditional_ones() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        stop = await desk.stop("SELL", "49000", quantity="0.1", reduceOnly=True, clientAlgoId="sl")
        assert (stop["algoStatus"], stop["orderType"]) == ("NEW", "STOP_MARKET")
        assert await desk.get("v1/openOrders", symbol=BTC) == []
        (found,) = await desk.get("v1/openAlgoOrders", symbol=BTC)
        assert (found["clientAlgoId"], found["actualOrderId"]) == ("sl", "")
        await desk.delete("v1/allOpenOrders")
        assert len(await desk.get("v1/openAlgoOrders")) == 1


async def test_triggered_is_not_filled_and_the_order_it_became_says_what_is() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        stop = await desk.stop("SELL", "49000", type="STOP", price="48950", quantity="0.1", reduceOnly=True)
        desk.quote("48900")
        found = await desk.get("v1/algoOrder", algoId=stop["algoId"])
        assert found["algoStatus"] == "TRIGGERED"
        (child,) = await desk.get("v1/openOrders", symbol=BTC)
        assert (str(child["orderId"]), child["status"]) == (found["actualOrderId"], "NEW")
        assert await desk.get("v1/openAlgoOrders") == []
        desk.quote("48960")
        assert (await desk.get("v1/algoOrder", algoId=stop["algoId"]))["algoStatus"] == "FINISHED"
        assert (await desk.get("v1/order", symbol=BTC, orderId=child["orderId"]))["status"] == "FILLED"
        assert await desk.held() == {}


async def test_finished_is_said_of_one_whose_order_was_cancelled_unfilled() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        stop = await desk.stop("SELL", "49000", type="STOP", price="48950", quantity="0.1", reduceOnly=True)
        desk.quote("48900")
        child = (await desk.get("v1/algoOrder", algoId=stop["algoId"]))["actualOrderId"]
        await desk.delete("v1/order", orderId=child)
        assert (await desk.get("v1/algoOrder", algoId=stop["algoId"]))["algoStatus"] == "FINISHED"
        assert await desk.held() == {(BTC, "BOTH"): "0.1"}


async def test_a_stop_that_would_fire_at_once_is_refused() -> None:
    async with binance_desk() as desk:
        body = {"algoType": "CONDITIONAL", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.1"}
        assert await desk.refused("v1/algoOrder", **body, triggerPrice="51000") == -2021
        assert (
            await desk.refused("v1/algoOrder", **body | {"type": "TAKE_PROFIT_MARKET"}, triggerPrice="49000") == -2021
        )


async def test_to_close_the_position_takes_all_that_is_held_and_there_is_one_of_it() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        stop = await desk.stop("SELL", "49000", closePosition=True)
        assert (stop["closePosition"], stop["reduceOnly"], stop["quantity"]) == (True, False, "0")
        body = {"algoType": "CONDITIONAL", "side": "SELL", "type": "STOP_MARKET", "closePosition": True}
        assert await desk.refused("v1/algoOrder", **body, triggerPrice="48000") == -4130
        assert await desk.refused("v1/algoOrder", **body, triggerPrice="48000", quantity="0.1") == -4136
        await desk.place("BUY", "0.2")
        desk.quote("48999")
        assert await desk.held() == {}


async def test_a_stop_with_nothing_left_to_reduce_is_rejected_when_it_fires() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        stop = await desk.stop("SELL", "49000", quantity="0.1", reduceOnly=True)
        await desk.place("SELL", "0.1", reduceOnly=True)
        desk.quote("48999")
        assert (await desk.get("v1/algoOrder", algoId=stop["algoId"]))["algoStatus"] == "REJECTED"
        assert await desk.held() == {}


async def test_a_trailing_stop_follows_by_its_rate() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        form = {"type": "TRAILING_STOP_MARKET", "quantity": "0.1", "reduceOnly": True, "callbackRate": "1"}
        stop = await desk.post("v1/algoOrder", algoType="CONDITIONAL", side="SELL", **form)
        assert stop["callbackRate"] == "1"
        desk.quote("52000")
        desk.quote("51481")
        assert await desk.held() == {(BTC, "BOTH"): "0.1"}
        desk.quote("51480")
        assert await desk.held() == {}


async def test_conditional_orders_are_cancelled_by_themselves_or_all_together() -> None:
    async with binance_desk() as desk:
        one = await desk.stop("SELL", "49000", quantity="0.1", clientAlgoId="one")
        await desk.stop("SELL", "48000", quantity="0.1")
        gone = await desk.delete("v1/algoOrder", clientAlgoId="one")
        assert (gone["algoId"], gone["code"]) == (one["algoId"], "200")
        assert await desk.refused("v1/algoOrder", "DELETE", algoId=one["algoId"]) == -2011
        assert (await desk.delete("v1/algoOpenOrders"))["code"] == 200
        rows = await desk.get("v1/allAlgoOrders", symbol=BTC)
        assert [row["algoStatus"] for row in rows] == ["CANCELED", "CANCELED"]


# Modes and positions


async def test_hedge_mode_is_the_accounts_and_needs_a_side_and_no_flag() -> None:
    async with binance_desk() as desk:
        assert await desk.refused("v1/positionSide/dual", dualSidePosition=False) == -4059
        await desk.post("v1/positionSide/dual", dualSidePosition=True)
        assert await desk.get("v1/positionSide/dual") == {"dualSidePosition": True}
        body = {"side": "BUY", "type": "MARKET", "quantity": "0.1"}
        assert await desk.refused("v1/order", **body) == -4061
        assert await desk.refused("v1/order", **body, positionSide="LONG", reduceOnly=True) == -1106
        await desk.place("BUY", "0.1", positionSide="LONG")
        await desk.place("SELL", "0.2", positionSide="SHORT")
        assert await desk.held() == {(BTC, "LONG"): "0.1", (BTC, "SHORT"): "-0.2"}
        await desk.place("SELL", "0.5", positionSide="LONG")
        assert await desk.held() == {(BTC, "SHORT"): "-0.2"}
        assert await desk.refused("v1/positionSide/dual", dualSidePosition=False) == -4068


async def test_a_hedged_stop_with_the_wrong_side_opens_a_short() -> None:
    """What ccxt sends for `hedged=True` alone (brokers/README §5.5)."""
    async with binance_desk() as desk:
        await desk.post("v1/positionSide/dual", dualSidePosition=True)
        await desk.place("BUY", "0.1", positionSide="LONG")
        await desk.stop("SELL", "49000", quantity="0.1", positionSide="SHORT")
        desk.quote("48999")
        assert await desk.held() == {(BTC, "LONG"): "0.1", (BTC, "SHORT"): "-0.1"}


async def test_the_third_version_of_positions_omits_what_is_flat_and_the_second_does_not() -> None:
    async with binance_desk() as desk:
        assert await desk.get("v3/positionRisk") == []
        rows = await desk.get("v2/positionRisk")
        assert {row["symbol"]: row["positionAmt"] for row in rows} == {BTC: "0", ADA: "0"}
        await desk.place("BUY", "0.1", type="LIMIT", price="40000")
        (row,) = await desk.get("v3/positionRisk")
        assert (row["symbol"], row["positionAmt"]) == (BTC, "0")


async def test_leverage_that_is_so_already_is_a_success_and_a_margin_type_is_not() -> None:
    async with binance_desk() as desk:
        for _ in range(2):
            assert (await desk.post("v1/leverage", leverage=20))["leverage"] == 20
        await desk.post("v1/marginType", marginType="ISOLATED")
        assert await desk.refused("v1/marginType", marginType="ISOLATED") == -4046
        await desk.place("BUY", "0.1")
        assert await desk.refused("v1/marginType", marginType="CROSSED") == -4048
        (row,) = await desk.get("v2/positionRisk", symbol=BTC)
        assert (row["marginType"], row["isolatedMargin"], row["leverage"]) == ("isolated", "250.00050000", "20")


async def test_fills_and_income_are_listed_and_funding_is_income_alone() -> None:
    async with binance_desk() as desk:
        row = await desk.place("BUY", "0.1")
        desk.wait(8 * 3600)
        await desk.place("SELL", "0.1", reduceOnly=True)
        trades = await desk.get("v1/userTrades", symbol=BTC)
        assert [(each["side"], each["buyer"]) for each in trades] == [("BUY", True), ("SELL", False)]
        (first,) = await desk.get("v1/userTrades", symbol=BTC, orderId=row["orderId"])
        assert first["commission"] == "2.7500055"
        kinds = [each["incomeType"] for each in await desk.get("v1/income")]
        assert kinds == ["COMMISSION", "FUNDING_FEE", "REALIZED_PNL", "COMMISSION"]


async def test_what_nobody_asked_for_is_an_order_with_an_id_that_says_so() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.3")
        desk.venue.engine.deleverage("main", BTC, 0, D("0.1"), D(50_000))
        desk.venue.engine.liquidate("main", BTC)
        rows = await desk.get("v1/forceOrders")
        assert [row["clientOrderId"][:8] for row in rows] == ["adl_auto", "autoclos"]


async def test_the_countdown_cancels_plain_orders_and_leaves_conditional_ones() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1", type="LIMIT", price="40000")
        await desk.stop("SELL", "49000", quantity="0.1")
        await desk.post("v1/countdownCancelAll", countdownTime=10_000)
        desk.wait(9)
        await desk.post("v1/countdownCancelAll", countdownTime=10_000)
        desk.wait(9)
        assert len(await desk.get("v1/openOrders")) == 1
        desk.wait(1)
        assert await desk.get("v1/openOrders") == []
        assert len(await desk.get("v1/openAlgoOrders")) == 1


# Who asks, and how often


async def test_keys_signatures_and_clocks_have_codes_of_their_own() -> None:
    async with binance_desk(checks_clock=True) as desk:
        nobody = await desk.ask("GET", "v3/account", None, **{"X-MBX-APIKEY": "nobody"})
        assert (nobody.status, nobody.json["code"]) == (401, -2015)
        assert (await desk.ask("GET", "v3/account", None, signature="0")).json["code"] == -1022
        desk.clock_off_by = -6
        assert (await desk.ask("GET", "v3/account")).json["code"] == -1021
        desk.clock_off_by = -4
        assert (await desk.ask("GET", "v3/account")).status == 200


async def test_a_budget_that_is_used_up_is_429_and_each_reply_says_what_was_used() -> None:
    async with binance_desk(limits=Limits(reads=2)) as desk:
        answers = [await desk.ask("GET", "v3/account") for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert answers[0].headers["X-MBX-USED-WEIGHT-1M"] == "1"
        assert answers[2].json["code"] == -1003
