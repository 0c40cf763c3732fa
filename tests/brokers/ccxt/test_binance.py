"""Binance USD-M: conditional orders are a list of their own and one order with what they become; three outcomes."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.binance import parse, refusals
from standfast.brokers.ccxt.binance.forms import submission
from standfast.brokers.ccxt.binance.rows import AlgoRow, IncomeRow, OrderRow, PositionRow, TradeRow
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import Response, TransportError
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.ids import AccountId, BrokerOrderId, ClientOrderId, Holding
from standfast.model.order import MovementKind, OrderState, OrderType, Side
from standfast.model.secret import Secret
from tests.brokers.ccxt.scripted import BTC, LONG, NAME, SHORT
from tests.brokers.ccxt.scripted_binance import (
    Script,
    algo_row,
    broker,
    order_row,
    position_row,
    trade_row,
)
from tests.brokers.ccxt.test_bybit_recordings import markets
from tests.brokers.ccxt.test_bybit_writes import MARKET, stop, terms
from tests.brokers.clocks import ManualClock

ORDER, ALGO = "/fapi/v1/order", "/fapi/v1/algoOrder"
ID, STOP_ID = ClientOrderId("sfabcd-c1"), ClientOrderId("sfabcd-s1")
PLAIN, CONDITIONAL = BrokerOrderId("BTCUSDT:77"), BrokerOrderId("BTCUSDT:a9")
KEY = {"enableWithdrawals": False, "enableFutures": True, "enableInternalTransfer": False, "ipRestrict": True}
ROWS: dict[str, tuple[Any, Any]] = {
    "positionAmt": (PositionRow, parse.held),
    "algoId": (AlgoRow, lambda row, known: parse.algo(row, known, None)),
    "origQty": (OrderRow, parse.order),
    "commission": (TradeRow, lambda row, known: parse.fill(row, BrokerOrderId("x"), known)),
    "incomeType": (IncomeRow, parse.funding),
}


def test_every_recorded_row_is_understood_or_refused_as_what_it_is(shared: Path) -> None:
    understood = 0
    for path in sorted((shared / "brokers" / "data" / "binance").rglob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for row in told if isinstance(told, list) else [told]:
            kind = next((each for each in ROWS if isinstance(row, dict) and each in row), None)
            if kind is None or "symbol" not in row or "pairs" in path.name:
                continue
            row_type, understand = ROWS[kind]
            try:
                understand(msgspec.convert(row, row_type), markets(row["symbol"]))
                understood += 1
            except (msgspec.ValidationError, Malformed):
                continue
    assert understood > 25


def test_every_recorded_refusal_has_its_kind(shared: Path) -> None:
    found: dict[str, str] = {}
    for path in sorted((shared / "brokers" / "data" / "binance" / "errors").glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        error = refusals.failure("POST", Response(told["http_status"], {}, json.dumps(told["body"]).encode()), None)
        found[path.stem.partition("_")[0]] = error.kind if isinstance(error, Rejected) else type(error).__name__
    assert found == {
        "-1003": "rate_limited", "-1007": "OutcomeUnknown", "-1021": "clock", "-1022": "Unauthorised",
        "-1121": "not_tradable", "-1125": "other", "-2011": "not_cancellable", "-2013": "not_found",
        "-2019": "buying_power", "-2021": "price", "-2022": "other", "-4059": "other", "-4061": "other",
        "-4116": "duplicate_id", "-4120": "other", "-4164": "other", "-5022": "other",
    }  # fmt: skip


def test_the_same_act_is_the_same_request_as_the_official_clients(shared: Path) -> None:
    path = shared / "brokers" / "data" / "client_requests_recorded" / "ccxt_binanceusdm.json"
    signing = ("timestamp", "recvWindow", "signature")
    recorded = [each["body"] for each in json.loads(path.read_text())["requests"] if each["method"] == "POST"]
    bodies = [{name: value for name, value in body.items() if name not in signing} for body in recorded]
    close, protect = ({**body, "positionSide": "BOTH"} for body in bodies[:2])

    assert submission(ClientOrderId("cid-1"), BTC, MARKET, terms()) == close
    assert submission(ClientOrderId("sl-1"), BTC, MARKET, stop()) == protect


@pytest.mark.parametrize(("holding", "side", "told"), [(LONG, Side.SELL, "LONG"), (SHORT, Side.BUY, "SHORT")])
def test_in_a_hedged_account_the_side_is_told_and_no_flag(holding: Holding, side: Side, told: str) -> None:
    """Given a flag Binance refuses; given no side a stop would open the other one (brokers/README §5.5)."""
    form = submission(STOP_ID, holding, MARKET, stop(side=side))

    assert form["positionSide"] == told
    assert "reduceOnly" not in form


async def test_stops_are_listed_with_the_others() -> None:
    script = Script()
    script.tell("GET /fapi/v1/openOrders", [order_row(type="LIMIT", price="50000")])
    script.tell("GET /fapi/v1/openAlgoOrders", [algo_row()])

    orders = (await broker(script).working_orders()).orders

    assert {id: order.type for id, order in orders.items()} == {PLAIN: OrderType.LIMIT, CONDITIONAL: OrderType.STOP}
    assert orders[CONDITIONAL].stop_price == Decimal(38000)


@pytest.mark.parametrize("status", ["TRIGGERING", "TRIGGERED", "FINISHED"])
async def test_a_stop_that_has_fired_is_over_only_when_what_it_became_is(status: str) -> None:
    script = Script()
    script.tell(f"GET {ALGO}", algo_row(algoStatus=status, actualOrderId="88"))
    script.tell(f"GET {ORDER}", order_row(orderId=88, status="PARTIALLY_FILLED", executedQty="0.005"))
    at = broker(script)

    fired = await at.order(broker_id=CONDITIONAL)
    assert fired is not None
    assert (fired.is_finished, fired.filled, fired.triggered) == (False, Decimal("0.005"), True)

    script.tell(f"GET {ORDER}", order_row(orderId=88, status="FILLED", executedQty="0.020", avgPrice="37999"))
    done = await at.order(broker_id=CONDITIONAL)
    assert done is not None
    assert (done.state, done.client_id) == (OrderState.FILLED, STOP_ID)


async def test_a_stop_that_has_fired_and_shows_nothing_else_is_alive() -> None:
    script = Script()
    script.tell(f"GET {ALGO}", algo_row(algoStatus="FINISHED"))

    fired = await broker(script).order(broker_id=CONDITIONAL)

    assert fired is not None
    assert not fired.is_finished


async def test_what_a_stop_traded_is_told_of_the_stop_in_another_life_too() -> None:
    script = Script()
    at = broker(script)
    start = (await at.activities("")).watermark
    script.tell("GET /fapi/v1/income", [_income("COMMISSION", script.now)])
    script.tell("GET /fapi/v1/userTrades", [trade_row(orderId=88, time=script.now)])
    script.tell("GET /fapi/v1/allAlgoOrders", [algo_row(algoStatus="FINISHED", actualOrderId="88")])

    read = await at.activities(start)

    (fill,) = read.fills
    assert (fill.broker_order_id, fill.signed) == (CONDITIONAL, Decimal("-0.020"))
    assert (await broker(script).activities(read.watermark)).fills == ()


def _income(kind: str, at: int, income: str = "-0.3") -> dict[str, Any]:
    return {"symbol": "BTCUSDT", "incomeType": kind, "income": income, "asset": "USDT", "time": at, "tranId": 1}


async def test_funding_is_a_fee_told_once() -> None:
    script = Script()
    at = broker(script)
    start = (await at.activities("")).watermark
    script.tell("GET /fapi/v1/income", [_income("FUNDING_FEE", script.now)])

    read = await at.activities(start)

    (movement,) = read.movements
    assert (movement.kind, movement.amount, movement.quantity) == (MovementKind.FEE, Decimal("-0.3"), Decimal(0))
    assert (await at.activities(read.watermark)).movements == ()


async def test_the_first_watermark_reaches_back_to_the_trades_that_a_list_may_lack_and_to_no_funding() -> None:
    script = Script()
    at = broker(script)
    then = script.now - int(at.contract.staleness.total_seconds() * 1000)
    script.tell("GET /fapi/v1/income", [_income("COMMISSION", then), _income("FUNDING_FEE", then)])
    script.tell("GET /fapi/v1/userTrades", [trade_row(time=then)])

    read = await at.activities((await at.activities("")).watermark)

    assert len(read.fills) == 1
    assert read.movements == ()


@pytest.mark.parametrize(("coin", "fee"), [("USDT", "0.31"), ("", "0.31"), ("BNB", "0")])
async def test_a_commission_in_another_coin_is_no_amount_of_the_contracts_own(coin: str, fee: str) -> None:
    """0.31 BNB are some two hundred dollars: neither that nor 0.31 of them is known here."""
    script = Script()
    at = broker(script)
    start = (await at.activities("")).watermark
    script.tell("GET /fapi/v1/income", [_income("COMMISSION", script.now)])
    script.tell("GET /fapi/v1/userTrades", [trade_row(time=script.now, commissionAsset=coin)])

    (fill,) = (await at.activities(start)).fills

    assert fill.fee == Decimal(fee)


async def test_rows_without_an_amount_are_no_positions_and_each_side_is_a_holding() -> None:
    script = Script()
    rows = [
        position_row(positionSide="LONG"),
        position_row(positionSide="SHORT", positionAmt="-0.005"),
        position_row(positionAmt="0.000"),
    ]
    script.tell("GET /fapi/v3/positionRisk", rows)
    at = broker(script)

    held = (await at.positions()).rows

    assert {holding: row.quantity for holding, row in held.items()} == {
        LONG: Decimal("0.020"), SHORT: Decimal("-0.005"),
    }  # fmt: skip
    assert held[LONG].liquidation == Decimal(30000)
    with pytest.raises(Malformed, match="the mode is another"):
        await at.position(BTC)


async def test_an_order_is_found_by_its_client_id_whichever_kind_it_is() -> None:
    script = Script()
    at = broker(script)
    script.tell("GET /fapi/v1/income", [_income("COMMISSION", script.now)])
    await at.activities("")
    script.tell(f"GET {ORDER}", order_row(status="FILLED", executedQty="0.020"))

    found = await at.order(client_id=ID)

    assert found is not None
    assert found.broker_id == PLAIN
    script.answers[f"GET {ORDER}"] = lambda asked: Response(400, {}, b'{"code": -2013, "msg": "absent"}')
    script.tell(f"GET {ALGO}", algo_row())
    stopped = await at.order(client_id=STOP_ID)
    assert stopped is not None
    assert stopped.broker_id == CONDITIONAL


async def test_an_order_the_exchange_made_to_liquidate_says_so() -> None:
    script = Script()
    script.tell(f"GET {ORDER}", order_row(clientOrderId="autoclose-1", status="FILLED", executedQty="0.020"))

    found = await broker(script).order(broker_id=PLAIN)

    assert found is not None
    assert found.order_class == "liquidation"


async def test_a_stop_and_a_close_go_to_their_own_addresses_and_are_cancelled_there() -> None:
    script = Script()
    script.tell(f"POST {ALGO}", algo_row())
    script.tell(f"POST {ORDER}", order_row())
    for path in (ALGO, ORDER):
        script.tell(f"DELETE {path}", {"code": "200", "msg": "success"})
    at = broker(script)

    placed = await at.submit(STOP_ID, BTC, stop(), Turn(Urgency.PROTECT))
    closed = await at.submit(ID, BTC, terms(), Turn(Urgency.CLOSE))
    await at.cancel(placed.broker_id, Turn(Urgency.CLOSE))
    await at.cancel(closed.broker_id, Turn(Urgency.CLOSE))

    assert (placed.broker_id, closed.broker_id, placed.state) == (CONDITIONAL, PLAIN, OrderState.PENDING)
    assert [what for what, _ in script.sent()] == [
        f"POST {ALGO}", f"POST {ORDER}", f"DELETE {ALGO}", f"DELETE {ORDER}",
    ]  # fmt: skip
    assert script.sent()[0][1]["clientAlgoId"] == STOP_ID
    assert script.sent()[2][1]["algoId"] == "9"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(500, {}, b'{"code": -1000, "msg": "x"}'), OutcomeUnknown),
        (Response(503, {}, b"Unknown error, please check your request or try again later."), OutcomeUnknown),
        (Response(408, {}, b'{"code": -1007, "msg": "execution status unknown"}'), OutcomeUnknown),
        (Response(400, {}, b'{"code": -1006, "msg": "x"}'), OutcomeUnknown),
        (Response(400, {}, b"<html>"), OutcomeUnknown),
        (Response(400, {}, b'{"code": 5, "msg": "somebody else"}'), OutcomeUnknown),
        (TransportError("reset"), OutcomeUnknown),
        (b"{}", OutcomeUnknown),
        (json.dumps(order_row(clientOrderId="another")).encode(), OutcomeUnknown),
        (json.dumps(order_row(symbol="ETHUSDT")).encode(), OutcomeUnknown),
        (Response(401, {}, b""), Unauthorised),
        (Response(400, {}, b'{"code": -2015, "msg": "keys"}'), Unauthorised),
        (Response(418, {}, b""), Rejected),
        (Response(400, {}, b'{"code": -2022, "msg": "ReduceOnly Order is rejected."}'), Rejected),
        (b'{"code": -2021, "msg": "Order would immediately trigger."}', Rejected),
    ],
)
async def test_a_write_ends_in_one_of_three_ways_and_is_sent_once(answer: Any, error: type[Exception]) -> None:
    script = Script()
    script.tell(f"POST {ORDER}", answer)

    with pytest.raises(error):
        await broker(script).submit(ID, BTC, terms(), Turn(Urgency.CLOSE))

    assert len(script.sent()) == 1


async def test_a_contract_has_the_exchanges_own_steps() -> None:
    found = await broker(Script()).instrument(NAME)

    assert (found.tick, found.lot, found.most) == (Decimal("0.10"), Decimal("0.001"), Decimal(120))


async def test_what_is_guarded_is_said() -> None:
    script = Script()
    script.tell("GET /fapi/v1/positionSide/dual", {"dualSidePosition": True})
    script.tell("GET /sapi/v1/account/apiRestrictions", KEY)

    told = {each.what: each.detail for each in await broker(script).guarded()}

    assert "hedge mode" in told["positions"]
    assert "algo orders" in told["protection"]


def test_a_message_of_the_stream_names_the_order_and_what_it_became() -> None:
    """Binance's stream says which conditional order an ordinary one came from."""
    venue = broker(Script())._venue
    venue._table = markets("BTCUSDT")  # type: ignore[attr-defined]  # as after the first read
    fired = {"s": "BTCUSDT", "aid": 9, "caid": "sfabcd-s1", "X": "TRIGGERED", "ai": "88", "ps": "LONG"}
    traded = {"s": "BTCUSDT", "i": 88, "c": "x", "X": "FILLED", "ps": "LONG"}

    (first,) = venue.heard({"e": "ALGO_UPDATE", "o": fired})
    (second,) = venue.heard({"e": "ORDER_TRADE_UPDATE", "o": traded})

    assert (first.broker_id, first.holding.hedge) == (CONDITIONAL, "long")
    assert (second.broker_id, second.event) == (CONDITIONAL, "fill")
    assert venue.heard({"e": "ACCOUNT_UPDATE", "a": {}}) == []


async def test_a_read_counts_for_what_it_weighs() -> None:
    script = Script()
    at = broker(script)
    await at.instrument(NAME)
    budget = at._venue._client._throttles.reads._budget  # type: ignore[attr-defined]  # what was spent is shown nowhere
    before = budget.sent

    await at.working_orders()

    assert budget.sent - before == 8


@pytest.mark.parametrize(
    ("changed", "may", "words"),
    [
        ({}, False, "the key may not withdraw"),
        ({"enableWithdrawals": True}, True, "the key may withdraw"),
        ({"enableInternalTransfer": True}, True, "the key may send to other users"),
        ({"ipRestrict": False}, False, "from any address of the internet"),
    ],
    ids=str,
)
async def test_what_the_key_may_do_is_told(changed: dict[str, bool], *, may: bool, words: str) -> None:
    script = Script()
    script.tell("GET /sapi/v1/account/apiRestrictions", KEY | changed)

    rights = await broker(script).rights()

    assert (rights.may_withdraw, words in rights.detail) == (may, True)


async def test_where_the_rights_of_a_key_are_not_told_that_is_no_alarm() -> None:
    script = Script()
    script.tell(
        "GET /sapi/v1/account/apiRestrictions", Response(400, {}, b'{"code": -2015, "msg": "Invalid API-key."}')
    )

    assert (await broker(script).rights()).may_withdraw is None


@pytest.mark.parametrize(("enabled", "ok"), [(True, True), (False, False)])
async def test_a_key_that_may_not_trade_futures_cannot_close_and_that_is_said(*, enabled: bool, ok: bool) -> None:
    script = Script()
    script.tell("GET /fapi/v1/positionSide/dual", {"dualSidePosition": False})
    script.tell("GET /sapi/v1/account/apiRestrictions", KEY | {"enableFutures": enabled})

    told = {each.what: each for each in await broker(script).guarded()}

    assert told["orders"].ok is ok
    assert bool(told["orders"].remedy) is not ok


def test_the_rights_of_a_live_key_are_asked_where_binance_tells_them() -> None:
    """Futures have an address of their own: asked there, nobody would ever be told."""
    access = Access(
        id="binanceusdm",
        key_id=Secret("key"),
        secret=Secret("words that open"),
        passphrase=Secret(""),
        live=True,
        rest_url="https://fapi.binance.com",
        stream_url="wss://fstream.binance.com",
    )
    settings = CcxtSettings(account=AccountId("usdm"), access=access, shelf=Shelf())
    library = CcxtBroker(settings, clock=ManualClock(), transport=Script())._library

    assert library.urls["api"]["sapi"] == "https://api.binance.com/sapi/v1"
    assert library.urls["api"]["fapiPrivate"].startswith("https://fapi.binance.com/")
