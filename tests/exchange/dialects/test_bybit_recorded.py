"""Every reply and message has every key of the recorded one of its kind, and every recorded request has an answer."""

import json
from collections.abc import Awaitable, Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from standfast.exchange.dialects.bybit import Limits
from tests.exchange.dialects.bybit_desk import BTC, BybitDesk, bybit_desk
from tests.exchange.dialects.bybit_stream import private_line, public_line
from tests.exchange.perpetual.desk import D


def payload(shared: Path, name: str) -> Any:
    return json.loads((shared / "brokers/data/bybit" / name).read_text())


def lacking(found: Any, recorded: Any, path: str = "") -> list[str]:
    """Keys of the recording that the reply does not have. Of a list, each row is held against the first recorded."""
    if isinstance(recorded, dict):
        if not isinstance(found, dict):
            return [f"{path}: {found!r} is no object"]
        return [
            line
            for key, value in recorded.items()
            for line in (lacking(found[key], value, f"{path}.{key}") if key in found else [f"{path}.{key} is missing"])
            if key not in FREE
        ]
    if isinstance(recorded, list) and recorded and isinstance(recorded[0], dict):
        rows = found if isinstance(found, list) else []
        return (
            [f"{path} has no row"] if not rows else [line for row in rows for line in lacking(row, recorded[0], path)]
        )
    return []


FREE = frozenset({"cumFeeDetail", "extraFees", "totalPerpUpl"})
"""Named after what fees were paid in; and a name that a derived file spells otherwise than Bybit's own."""
Ask = Callable[[BybitDesk], Awaitable[Any]]


def read(path: str, **query: object) -> Ask:
    return lambda desk: desk.ask("GET", path, {"category": "linear", **query})


def write(path: str, **body: object) -> Ask:
    return lambda desk: desk.ask("POST", path, {"category": "linear", "symbol": BTC, **body})


async def lived(desk: BybitDesk) -> None:
    """Something of everything: a position with stops, a resting order, a cancelled one, a closed part, funding."""
    await desk.place("Buy", "0.3", orderLinkId="entry")
    await desk.place("Sell", "0.1", reduceOnly=True)
    await desk.post("position/trading-stop", stopLoss="45000", takeProfit="60000", tpslMode="Full")
    resting = await desk.place("Buy", "0.1", orderType="Limit", price="40000", stopLoss="39000")
    await desk.place("Buy", "0.1", orderType="Limit", price="41000", orderLinkId="rests")
    await desk.post("order/cancel", orderId=resting)
    desk.venue.engine.fund(BTC)


READS: dict[str, Ask] = {
    "docs_examples/account__account-info__1.json": read("account/info"),
    "docs_examples/account__transaction-log__1.json": read("account/transaction-log"),
    "docs_examples/account__wallet-balance__1.json": read("account/wallet-balance", accountType="UNIFIED"),
    "docs_examples/market__order-price-limit__1.json": read("market/price-limit", symbol=BTC),
    "docs_examples/market__tickers__1.json": read("market/tickers", symbol=BTC),
    "docs_examples/market__time__1.json": read("market/time"),
    "docs_examples/order__execution__1.json": read("execution/list"),
    "docs_examples/order__open-order__1.json": read("order/realtime", symbol=BTC),
    "docs_examples/order__order-list__1.json": read("order/history"),
    "docs_examples/position__close-pnl__1.json": read("position/closed-pnl"),
    "docs_examples/position__position__1.json": read("position/list", symbol=BTC),
    "docs_examples/order__amend-order__1.json": write("order/amend", orderLinkId="rests", price="40500"),
    "docs_examples/order__cancel-order__1.json": write("order/cancel", orderLinkId="rests"),
    "docs_examples/order__cancel-all__1.json": write("order/cancel-all"),
    "docs_examples/order__create-order__1.json": write("order/create", side="Buy", orderType="Market", qty="0.1"),
    "docs_examples/order__dcp__1.json": write("order/disconnected-cancel-all", timeWindow=40),
    "docs_examples/order__batch-place__1.json": write(
        "order/create-batch", request=[{"symbol": BTC, "side": "Buy", "orderType": "Market", "qty": "0.1"}]
    ),
    "docs_examples/position__position-mode__1.json": write("position/switch-mode", symbol="ADAUSDT", mode=3),
    "docs_examples/position__leverage__1.json": write("position/set-leverage", buyLeverage="5", sellLeverage="5"),
    "docs_examples/position__trading-stop__1.json": write("position/trading-stop", stopLoss="44000"),
    "ccxt_static/execution_list_funding.json": read("execution/list", execType="Funding"),
    "ccxt_static/order_amend_ack.json": write("order/amend", orderLinkId="rests", price="40500"),
    "ccxt_static/order_history_filled_buy_then_reduceonly_sell.json": read("order/history"),
    "ccxt_static/position_list_empty_row.json": read("position/list", symbol="ADAUSDT"),
    "ccxt_static/position_list_long.json": read("position/list", symbol=BTC),
    "nautilus/http_get_account_info.json": read("account/info"),
    "nautilus/http_get_executions.json": read("execution/list"),
    "nautilus/http_get_fee_rate.json": read("account/fee-rate"),
    "nautilus/http_get_instruments_linear.json": read("market/instruments-info"),
    "nautilus/http_get_instruments_linear_symbol_type.json": read("market/instruments-info"),
    "nautilus/http_get_klines_linear.json": read("market/kline", symbol=BTC, interval="1"),
    "nautilus/http_get_orderbook.json": read("market/orderbook", symbol=BTC),
    "nautilus/http_get_orders_history.json": read("order/history"),
    "nautilus/http_get_orders_history_with_duplicate.json": read("order/history"),
    "nautilus/http_get_order_partially_filled_rejected.json": read("order/history"),
    "nautilus/http_get_orders_realtime.json": read("order/realtime", symbol=BTC),
    "nautilus/http_get_orders_realtime_tp_sl.json": read("order/realtime", symbol=BTC, orderFilter="StopOrder"),
    "nautilus/http_get_positions.json": read("position/list", symbol=BTC),
    "nautilus/http_get_positions_with_open_time.json": read("position/list", symbol=BTC),
    "nautilus/http_get_trades_recent.json": read("market/recent-trade", symbol=BTC),
    "nautilus/http_get_user_query_api.json": read("user/query-api"),
    "nautilus/http_get_wallet_balance.json": read("account/wallet-balance", accountType="UNIFIED"),
    "errors/110001_order_not_exist.json": write("order/cancel", orderId="nobody"),
    "errors/110007_balance.json": write("order/create", side="Buy", orderType="Market", qty="100"),
    "errors/110043_leverage_unchanged.json": write("position/set-leverage", buyLeverage="10", sellLeverage="10"),
    "errors/110072_orderlinkid_duplicate.json": write(
        "order/create", side="Buy", orderType="Market", qty="0.1", orderLinkId="entry"
    ),
}


@pytest.mark.parametrize("name", sorted(READS))
async def test_a_reply_has_every_key_of_the_recorded_one_of_its_kind(shared: Path, name: str) -> None:
    async with bybit_desk() as desk:
        await lived(desk)
        found, recorded = await READS[name](desk), payload(shared, name)
        assert lacking(found, recorded) == []
        assert found["retCode"] == int(recorded["retCode"])


async def test_funding_is_listed_after_it_has_come(shared: Path) -> None:
    async with bybit_desk() as desk:
        desk.wait(24 * 3600)
        found = await desk.ask("GET", "market/funding/history", {"category": "linear", "symbol": BTC})
        assert lacking(found, payload(shared, "nautilus/http_get_funding_history.json")) == []


REFUSED: dict[str, tuple[str, dict[str, object]]] = {
    "110017_reduce_only": ("order/create", {"side": "Buy", "orderType": "Market", "qty": "0.1", "reduceOnly": True}),
    "110092_trigger_wrong_side": (
        "order/create",
        {"side": "Buy", "orderType": "Market", "qty": "0.1", "triggerPrice": "49000", "triggerDirection": 1},
    ),
    "110025_mode_unchanged": ("position/switch-mode", {"symbol": "ADAUSDT", "mode": 0}),
    "110094_min_notional": ("order/create", {"symbol": "ADAUSDT", "side": "Buy", "orderType": "Market", "qty": "1"}),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_a_refusal_has_the_recorded_code(shared: Path, name: str) -> None:
    path, body = REFUSED[name]
    async with bybit_desk() as desk:
        await lived(desk)
        reply = await desk.ask("POST", path, {"category": "linear", "symbol": BTC, **body})
        recorded = payload(shared, f"errors/{name}.json")
        assert reply["retCode"] == recorded["retCode"]
        assert lacking(reply, recorded) == []


ORDER = ("nautilus/ws_account_order.json", "docs_examples/websocket__private__order__2.json")
MESSAGES = {
    "order": (
        *ORDER,
        "nautilus/ws_account_order_buy_stop_market.json",
        "nautilus/ws_account_order_filled.json",
        "nautilus/ws_account_order_limit_if_touched.json",
        "nautilus/ws_account_order_partially_filled_rejected.json",
        "nautilus/ws_account_order_sell_market_if_touched.json",
        "nautilus/ws_account_order_stop_market.json",
        "nautilus/ws_account_order_stop_loss.json",
        "nautilus/ws_account_order_take_profit.json",
        "nautilus/ws_account_order_stop_limit.json",
        "nautilus/ws_account_order_market_if_touched.json",
    ),
    "execution": ("docs_examples/websocket__private__execution__2.json", "nautilus/ws_account_execution.json"),
    "execution.fast": (
        "docs_examples/websocket__private__fast-execution__2.json",
        "nautilus/ws_account_execution_fast.json",
        "nautilus/ws_account_execution_fast_envelope_id.json",
    ),
    "position": (
        "docs_examples/websocket__private__position__2.json",
        "nautilus/ws_account_position.json",
        "nautilus/ws_account_position_short.json",
        "nautilus/ws_account_position_with_open_time.json",
    ),
    "wallet": (
        "docs_examples/websocket__private__wallet__2.json",
        "nautilus/ws_account_wallet.json",
        "nautilus/ws_account_wallet_locked_exceeds_total.json",
        "nautilus/ws_account_wallet_small_order.json",
    ),
}


@pytest.mark.parametrize("topic", sorted(MESSAGES))
async def test_a_message_has_every_key_of_the_recorded_one_of_its_kind(shared: Path, topic: str) -> None:
    async with bybit_desk() as desk, private_line(desk, topic) as line:
        await desk.place("Buy", "0.1")
        message = await line.hear()
        for name in MESSAGES[topic]:
            recorded = payload(shared, name)
            assert lacking(message if "topic" in recorded else message["data"][0], recorded) == []


async def test_a_deleveraging_is_told_as_recorded(shared: Path) -> None:
    async with bybit_desk() as desk, private_line(desk, "execution") as line:
        await desk.place("Buy", "0.1")
        desk.venue.engine.deleverage("main", BTC, 0, D("0.1"), D(50_000))
        await line.hear()
        message, recorded = await line.hear(), payload(shared, "nautilus/ws_account_execution_adl.json")
        assert lacking(message, recorded) == []
        assert message["data"][0]["execType"] == recorded["data"][0]["execType"] == "AdlTrade"


async def test_a_wrong_clock_and_a_used_up_budget_have_the_recorded_codes(shared: Path) -> None:
    async with bybit_desk(checks_clock=True, limits=Limits(reads=1)) as desk:
        desk.clock_off_by = -60
        late = await desk.ask("GET", "account/info")
        desk.clock_off_by = 0
        replies = [await desk.ask("GET", "account/info") for _ in range(2)]
    for found, name in ((late, "10002_time_window"), (replies[1], "10006_rate_limit")):
        recorded = payload(shared, f"errors/{name}.json")
        assert (found["retCode"], found["retMsg"]) == (recorded["retCode"], recorded["retMsg"])


PUBLIC = {
    f"tickers.{BTC}": "nautilus/ws_ticker_linear.json",
    f"orderbook.1.{BTC}": "nautilus/ws_orderbook_snapshot.json",
    f"publicTrade.{BTC}": "nautilus/ws_public_trade.json",
}


@pytest.mark.parametrize("topic", sorted(PUBLIC))
async def test_public_messages_have_every_key_too(shared: Path, topic: str) -> None:
    async with bybit_desk() as desk, public_line(desk) as line:
        await line.say("subscribe", topic)
        await desk.place("Buy", "0.1")
        assert lacking(await line.hear(), payload(shared, PUBLIC[topic])) == []


HANDSHAKES = (
    "docs_examples/websocket__wss-authentication__2.json",
    "docs_examples/websocket__wss-authentication__9.json",
    "docs_examples/websocket__wss-authentication__10.json",
    "docs_examples/websocket__wss-authentication__11.json",
    "nautilus/ws_subscription_ack.json",
    "nautilus/ws_subscription_failure.json",
)
PONGS = ("docs_examples/websocket__wss-authentication__5.json", "docs_examples/websocket__wss-authentication__6.json")
PUBLIC_PONGS = (
    "docs_examples/websocket__wss-authentication__3.json",
    "docs_examples/websocket__wss-authentication__4.json",
)


async def test_a_handshake_is_answered_with_every_recorded_key(shared: Path) -> None:
    async with bybit_desk() as desk, private_line(desk) as line:
        ack = await line.say("subscribe", "order", req_id="1")
        for name in HANDSHAKES:
            assert lacking(ack, payload(shared, name)) == []
        pong = await line.say("ping", req_id="1")
        assert [lacking(pong, payload(shared, name)) for name in PONGS] == [[], []]
        async with public_line(desk) as public:
            pong = await public.say("ping", req_id="1")
            assert [lacking(pong, payload(shared, name)) for name in PUBLIC_PONGS] == [[], []]


async def test_every_recorded_request_of_ccxt_has_an_answer(shared: Path) -> None:
    """Some are refused for what they ask; none is unknown, and none is an error of the exchange's own."""
    text = (shared / "brokers/data/client_requests_recorded/ccxt_bybit.json").read_text()
    async with bybit_desk() as desk:
        desk.quote("55000")
        await desk.place("Buy", "0.1")
        for number, request in enumerate(json.loads(text)["requests"]):
            given = request["body"] if request["method"] == "POST" else request["query"]
            reply = await desk.ask(request["method"], request["path"].removeprefix("/v5/"), given)
            assert isinstance(reply["retCode"], int), (number, request)
            assert "result" in reply
            assert reply["retCode"] in ANSWERS, (number, request, reply)


ANSWERS = frozenset({0, 10001, 110001, 110017, 110072, 110092, 110093})


ELSEWHERE = {
    "ccxt_static/execution_list_spot_trade*": "spot",
    "ccxt_static/*__ccxt_parsed*": "what ccxt makes of a row, not a reply",
    "docs_examples/asset__*": "settlements of USDC contracts and options",
    "docs_examples/guide__1*": "an envelope alone",
    "docs_examples/market__instrument__*": "options and spot",
    "docs_examples/market__tickers__[23]*": "options and spot",
    "docs_examples/order__pre-check-order*": "margin before and after, which nobody here asks for",
    "docs_examples/position__close-position*": "options",
    "docs_examples/position__move-position*": "between accounts of one owner",
    "docs_examples/websocket__private__*__1*": "what a client says",
    "docs_examples/websocket__private__greek*": "options",
    "docs_examples/websocket__system*": "maintenance of the exchange",
    "docs_examples/websocket__trade*": "orders by WebSocket",
    "docs_examples/websocket__wss-authentication__[178]*": "what a client says",
    "docs_examples/websocket__wss-authentication__12*": "options",
    "nautilus/http_get_instruments_*": "inverse, options, spot",
    "nautilus/http_get_user_*sub*": "sub-accounts",
    "nautilus/http_get_wallet_balance_*": "borrowing and spot",
    "nautilus/http_post_user*": "keys",
    "nautilus/ws_auth_*": "of the WebSocket that takes orders",
    "nautilus/ws_kline*": "bars by WebSocket",
    "nautilus/ws_order_response*": "orders by WebSocket",
    "nautilus/ws_orderbook_delta*": "the book is told whole each time",
    "nautilus/ws_ticker_option*": "options",
}
"""What this exchange does not do, and so has no reply for."""


def test_every_recorded_payload_is_held_against_a_reply_or_is_of_something_not_done_here(shared: Path) -> None:
    folder = shared / "brokers/data/bybit"
    held = Path(__file__).read_text()
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.json"))]
    forgotten = [
        name
        for name in names
        if name not in held
        and name.rpartition("/")[2].removesuffix(".json") not in held
        and not any(fnmatch(name, pattern) for pattern in ELSEWHERE)
    ]
    assert forgotten == []
