"""Every reply and message has every key of the recorded one of its kind, and every recorded request has an answer."""

import json
from collections.abc import Awaitable, Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from standfast.exchange.dialects.binance import Limits
from standfast.exchange.faults import ServerError
from tests.exchange.dialects.binance_desk import BTC, BinanceDesk, binance_desk
from tests.exchange.dialects.binance_stream import market_line, user_line
from tests.exchange.dialects.test_bybit_recorded import lacking
from tests.exchange.perpetual.desk import D

OFFICIAL = "official_connector/test_{}.json"
Ask = Callable[[BinanceDesk], Awaitable[Any]]


def payload(shared: Path, name: str) -> Any:
    return json.loads((shared / "brokers/data/binance" / name).read_text())


def read(path: str, **query: object) -> Ask:
    return lambda desk: desk.get(path, **query)


def write(path: str, **body: object) -> Ask:
    return lambda desk: desk.post(path, **body)


def gone(path: str, **query: object) -> Ask:
    return lambda desk: desk.delete(path, **query)


async def modified(desk: BinanceDesk) -> Any:
    given = {"symbol": BTC, "origClientOrderId": "again", "side": "BUY", "quantity": "0.2", "price": "40500"}
    return (await desk.ask("PUT", "v1/order", given)).json


async def kept_alive(desk: BinanceDesk) -> Any:
    await desk.post("v1/listenKey")
    return (await desk.ask("PUT", "v1/listenKey")).json


async def lived(desk: BinanceDesk) -> None:
    """Something of everything: a position, a resting order, conditional ones, a closed part, funding, a liquidation."""
    await desk.place("BUY", "0.3")
    await desk.place("SELL", "0.1", reduceOnly=True)
    await desk.place("BUY", "0.1", type="LIMIT", price="40000", newClientOrderId="rests")
    await desk.stop("SELL", "45000", quantity="0.1", reduceOnly=True, clientAlgoId="sl")
    desk.venue.engine.fund(BTC)
    desk.venue.engine.deleverage("main", BTC, 0, D("0.1"), D(50_000))
    await desk.place("BUY", "0.1", type="LIMIT", price="40000", newClientOrderId="again")


REPLIES: dict[str, Ask] = {
    "account_api__account_information_v2": read("v2/account"),
    "account_api__account_information_v3": read("v3/account"),
    "account_api__futures_account_balance_v2": read("v2/balance"),
    "account_api__futures_account_balance_v3": read("v3/balance"),
    "account_api__get_current_multi_assets_mode": read("v1/multiAssetsMargin"),
    "account_api__get_current_position_mode": read("v1/positionSide/dual"),
    "account_api__get_income_history": read("v1/income"),
    "account_api__notional_and_leverage_brackets": read("v1/leverageBracket"),
    "account_api__user_commission_rate": read("v1/commissionRate", symbol=BTC),
    "market_data_api__check_server_time": read("v1/time"),
    "market_data_api__mark_price": read("v1/premiumIndex", symbol=BTC),
    "market_data_api__order_book": read("v1/depth", symbol=BTC),
    "market_data_api__compressed_aggregate_trades_list": read("v1/aggTrades", symbol=BTC),
    "market_data_api__open_interest": read("v1/openInterest", symbol=BTC),
    "market_data_api__recent_trades_list": read("v1/trades", symbol=BTC),
    "market_data_api__symbol_order_book_ticker": read("v1/ticker/bookTicker", symbol=BTC),
    "market_data_api__symbol_price_ticker_v2": read("v2/ticker/price", symbol=BTC),
    "market_data_api__ticker24hr_price_change_statistics": read("v1/ticker/24hr", symbol=BTC),
    "market_data_api__trading_schedule": read("v1/tradingSchedule"),
    "market_data_api__get_funding_rate_info": read("v1/fundingInfo"),
    "trade_api__account_trade_list": read("v1/userTrades", symbol=BTC),
    "trade_api__auto_cancel_all_open_orders": write("v1/countdownCancelAll", countdownTime=100_000),
    "trade_api__cancel_algo_order": gone("v1/algoOrder", clientAlgoId="sl"),
    "trade_api__cancel_all_algo_open_orders": gone("v1/algoOpenOrders"),
    "trade_api__cancel_all_open_orders": gone("v1/allOpenOrders"),
    "trade_api__change_initial_leverage": write("v1/leverage", leverage=21),
    "trade_api__change_margin_type": write("v1/marginType", symbol="ADAUSDT", marginType="ISOLATED"),
    "trade_api__current_all_algo_open_orders": read("v1/openAlgoOrders"),
    "trade_api__modify_order": modified,
    "trade_api__new_algo_order": lambda desk: desk.stop("SELL", "44000", quantity="0.1"),
    "trade_api__new_order": lambda desk: desk.place("BUY", "0.1"),
    "trade_api__position_information_v2": read("v2/positionRisk"),
    "trade_api__position_information_v3": read("v3/positionRisk"),
    "trade_api__query_algo_order": read("v1/algoOrder", clientAlgoId="sl"),
    "trade_api__query_all_algo_orders": read("v1/allAlgoOrders", symbol=BTC),
    "trade_api__users_force_orders": read("v1/forceOrders"),
    "trade_api__test_order": write("v1/order/test", side="BUY", type="MARKET", quantity="0.1"),
    "user_data_streams_api__keepalive_user_data_stream": kept_alive,
    "user_data_streams_api__start_user_data_stream": write("v1/listenKey"),
}
OF_TRAILING = {"activatePrice", "priceRate"}
"""What the recorded orders have because they are trailing stops, which /order knows no more."""
TRAILING: dict[str, Ask] = {
    "trade_api__all_orders": read("v1/allOrders", symbol=BTC),
    "trade_api__cancel_order": gone("v1/order", origClientOrderId="again"),
    "trade_api__current_all_open_orders": read("v1/openOrders", symbol=BTC),
    "trade_api__query_order": read("v1/order", symbol=BTC, origClientOrderId="again"),
    "trade_api__query_current_open_order": read("v1/openOrder", symbol=BTC, origClientOrderId="again"),
}
NAUTILUS: dict[str, Ask] = {
    "nautilus_rs/account_info_v2.json": read("v2/account"),
    "nautilus_rs/balance.json": read("v3/balance"),
    "nautilus_rs/open_algo_orders.json": read("v1/openAlgoOrders"),
    "nautilus_rs/order_response.json": read("v1/order", symbol=BTC, origClientOrderId="again"),
    "nautilus_rs/position_risk.json": read("v2/positionRisk"),
    "nautilus_py/http_futures_account_symbol_config.json": read("v1/symbolConfig"),
    "nautilus_py/http_futures_account_trades.json": read("v1/userTrades", symbol=BTC),
    "nautilus_py/http_futures_account_position_side_dual.json": read("v1/positionSide/dual"),
    "nautilus_py/http_futures_account_positions_hedge.json": read("v2/positionRisk"),
    "nautilus_py/http_futures_account_positions_one_way.json": read("v2/positionRisk"),
    "nautilus_py/http_futures_account_orders.json": read("v1/allOrders", symbol=BTC),
    "nautilus_py/http_futures_market_depth.json": read("v1/depth", symbol=BTC),
    "nautilus_py/http_futures_market_klines.json": read("v1/klines", symbol=BTC, interval="1m"),
    "nautilus_py/http_futures_market_mark_price_klines.json": read("v1/markPriceKlines", symbol=BTC, interval="1m"),
    "nautilus_py/http_futures_market_ticker_24hr.json": read("v1/ticker/24hr", symbol=BTC),
    "nautilus_py/http_futures_market_ticker_price.json": read("v1/ticker/price", symbol=BTC),
    "nautilus_py/http_futures_market_trades.json": read("v1/trades", symbol=BTC),
    "nautilus_py/http_futures_wallet_commission_rate_btcusdt.json": read("v1/commissionRate", symbol=BTC),
    "nautilus_py/http_futures_market_premium_index.json": read("v1/premiumIndex", symbol=BTC),
    "nautilus_py/http_futures_market_book_ticker.json": read("v1/ticker/bookTicker", symbol=BTC),
}
EVERY = {OFFICIAL.format(name): ask for name, ask in (REPLIES | TRAILING).items()} | NAUTILUS


@pytest.mark.parametrize("name", sorted(EVERY))
async def test_a_reply_has_every_key_of_the_recorded_one_of_its_kind(shared: Path, name: str) -> None:
    async with binance_desk() as desk:
        await lived(desk)
        missing = lacking(await EVERY[name](desk), payload(shared, name))
        assert [
            line for line in missing if line.removesuffix(" is missing").rpartition(".")[2] not in OF_TRAILING
        ] == []


async def test_the_list_of_contracts_has_every_key_though_each_filter_has_its_own(shared: Path) -> None:
    async with binance_desk() as desk:
        found = await desk.get("v1/exchangeInfo")
        recorded = payload(shared, OFFICIAL.format("market_data_api__exchange_information"))
        for row in recorded["symbols"]:
            filters = {key for row in found["symbols"][0]["filters"] for key in row}
            assert set(row["filters"][0]) <= filters
            row["filters"] = []
        recorded["exchangeFilters"] = []
        assert lacking(found, recorded) == []


REFUSED: dict[str, tuple[str, str, dict[str, object]]] = {
    "-1121_symbol": ("POST", "v1/order", {"symbol": "NOUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}),
    "-1125_listen_key": ("PUT", "v1/listenKey", {}),
    "-2011_cancel_rejected": ("DELETE", "v1/order", {"orderId": 1}),
    "-2013_no_such_order": ("GET", "v1/order", {"orderId": 1}),
    "-2019_margin": ("POST", "v1/order", {"side": "BUY", "type": "MARKET", "quantity": "100"}),
    "-2021_would_trigger": (
        "POST",
        "v1/algoOrder",
        {"algoType": "CONDITIONAL", "side": "SELL", "type": "STOP_MARKET", "quantity": "1", "triggerPrice": "60000"},
    ),
    "-2022_reduce_only": (
        "POST",
        "v1/order",
        {"side": "BUY", "type": "MARKET", "quantity": "0.1", "reduceOnly": True},
    ),
    "-4059_mode_same": ("POST", "v1/positionSide/dual", {"dualSidePosition": False}),
    "-4061_position_side": (
        "POST",
        "v1/order",
        {"side": "BUY", "type": "MARKET", "quantity": "0.1", "positionSide": "LONG"},
    ),
    "-4116_dup_client_id": (
        "POST",
        "v1/order",
        {"side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "40000", "newClientOrderId": "again"},
    ),
    "-4120_use_algo_endpoint": (
        "POST",
        "v1/order",
        {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.1", "stopPrice": "49000"},
    ),
    "-4164_min_notional": (
        "POST",
        "v1/order",
        {"symbol": "ADAUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"},
    ),
    "-5022_gtx": (
        "POST",
        "v1/order",
        {"side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "60000", "timeInForce": "GTX"},
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_a_refusal_has_the_recorded_status_code_and_words(shared: Path, name: str) -> None:
    method, path, given = REFUSED[name]
    async with binance_desk() as desk:
        if name != "-2022_reduce_only":
            await lived(desk)
        answer = await desk.ask(method, path, {"symbol": BTC, **given})
        recorded = payload(shared, f"errors/{name}.json")
        assert (answer.status, answer.json) == (recorded["http_status"], recorded["body"])


MESSAGES = {
    "nautilus_py/ws_futures_order_update_new_price_match.json": "NEW",
    "nautilus_py/ws_futures_order_update_new_reduce_only_qty.json": "NEW",
    "nautilus_py/ws_futures_order_update_trade_reduce_only_qty.json": "TRADE",
    "nautilus_rs/order_update_trade.json": "TRADE",
    "nautilus_rs/order_update_trade_partial.json": "TRADE",
    "nautilus_rs/order_update_new.json": "NEW",
}


@pytest.mark.parametrize("name", sorted(MESSAGES))
async def test_an_order_update_has_every_key_of_the_recorded_one(shared: Path, name: str) -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        await desk.place("BUY", "0.1")
        message = await line.of("ORDER_TRADE_UPDATE")
        while message["o"]["x"] != MESSAGES[name]:
            message = await line.of("ORDER_TRADE_UPDATE")
        recorded = payload(shared, name)
        assert lacking(message, recorded.get("data", recorded)) == []


FORCED = {"adl": "adl_autoclose", "calculated": "autoclose-", "settlement": "settlement_autoclose-"}


@pytest.mark.parametrize("kind", sorted(FORCED))
async def test_what_nobody_asked_for_is_told_as_recorded(shared: Path, kind: str) -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        async with user_line(desk) as line:
            engine = desk.venue.engine
            if kind == "adl":
                engine.deleverage("main", BTC, 0, D("0.1"), D(50_000))
            elif kind == "calculated":
                engine.liquidate("main", BTC)
            else:
                engine.settle(BTC, D(50_000))
            message = await line.of("ORDER_TRADE_UPDATE")
        recorded = payload(shared, f"nautilus_rs/order_update_{kind}.json")
        assert lacking(message, recorded) == []
        assert message["o"]["c"].startswith(FORCED[kind])
        assert (message["o"]["x"], message["o"]["X"]) == (recorded["o"]["x"], recorded["o"]["X"])


async def test_an_account_update_and_a_light_trade_have_every_recorded_key(shared: Path) -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        await desk.place("BUY", "0.1")
        light = await line.of("TRADE_LITE")
        update = await line.of("ACCOUNT_UPDATE")
        assert lacking(light, payload(shared, "nautilus_rs/trade_lite.json")) == []
        assert lacking(update, payload(shared, "nautilus_rs/account_update.json")) == []


async def test_a_conditional_order_is_told_through_its_recorded_states(shared: Path) -> None:
    async with binance_desk() as desk, user_line(desk) as line:
        await desk.place("BUY", "0.1")
        await desk.stop("SELL", "49000", quantity="0.1", reduceOnly=True)
        desk.quote("48999")
        told = [await line.of("ALGO_UPDATE") for _ in range(4)]
        assert [message["o"]["X"] for message in told] == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
        names = ("rs/algo_update_new", "py/ws_futures_algo_update_triggering", "py/ws_futures_algo_update_triggered")
        for message, name in zip(told, (*names, "py/ws_futures_algo_update_finished"), strict=True):
            recorded = payload(shared, f"nautilus_{name}.json")
            assert lacking(message, recorded.get("data", recorded)) == []


async def test_funding_is_listed_after_it_has_come(shared: Path) -> None:
    async with binance_desk() as desk:
        desk.wait(24 * 3600)
        found = await desk.get("v1/fundingRate", symbol=BTC)
        assert lacking(found, payload(shared, OFFICIAL.format("market_data_api__get_funding_rate_history"))) == []


async def test_keys_clocks_and_budgets_are_refused_in_the_recorded_words(shared: Path) -> None:
    async with binance_desk(checks_clock=True, limits=Limits(reads=1)) as desk:
        unsigned = await desk.ask("GET", "v3/account", None, signature="0")
        desk.clock_off_by = -60
        late = await desk.ask("GET", "v3/account")
        desk.clock_off_by = 0
        answers = [await desk.ask("GET", "v3/account") for _ in range(2)]
        desk.fault("positions", ServerError(status=408))
        desk.wait(60)
        unknown = await desk.ask("GET", "v3/positionRisk")
    named = ((unsigned, "-1022_signature"), (late, "-1021_timestamp"), (unknown, "-1007_timeout_unknown"))
    for answer, name in named:
        recorded = payload(shared, f"errors/{name}.json")
        assert (answer.status, answer.json) == (recorded["http_status"], recorded["body"])
    recorded = payload(shared, "errors/-1003_too_many_requests.json")
    assert (answers[1].status, answers[1].json["code"]) == (recorded["http_status"], recorded["body"]["code"])


PUBLIC = {
    "btcusdt@depth5": "nautilus_py/ws_futures_depth_update.json",
    "btcusdt@bookTicker": "nautilus_rs/book_ticker_stream.json",
    "btcusdt@markPrice": "nautilus_rs/mark_price_stream.json",
    "btcusdt@ticker": "nautilus_rs/ticker_stream.json",
}


@pytest.mark.parametrize("name", sorted(PUBLIC))
async def test_public_messages_have_every_key_too(shared: Path, name: str) -> None:
    async with binance_desk() as desk, market_line(desk, name) as line:
        desk.quote("50100")
        recorded = payload(shared, PUBLIC[name])
        assert lacking(await line.hear(), recorded.get("data", recorded)) == []


async def test_every_recorded_request_of_ccxt_has_an_answer(shared: Path) -> None:
    """Some are refused for what they ask; none is unknown, and none is an error of the exchange's own."""
    text = (shared / "brokers/data/client_requests_recorded/ccxt_binanceusdm.json").read_text()
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        for number, request in enumerate(json.loads(text)["requests"]):
            given = {**request["query"], **(request["body"] or {})}
            sent = {name: value for name, value in given.items() if value != "<elided>" and name != "recvWindow"}
            answer = await desk.ask(request["method"], request["path"].removeprefix("/fapi/"), sent)
            assert answer.status in (200, 400), (number, request, answer)
            assert answer.status == 200 or answer.json["code"] in ANSWERS, (number, request, answer)


ANSWERS = frozenset({-2011, -2013, -2022})


ELSEWHERE = {
    "*_ws_api__*": "calls by WebSocket",
    "official_connector/*download*": "files of history",
    "official_connector/*bnb_burn*": "fees in another coin",
    "official_connector/*adl_*": "the queue of deleveraging",
    "official_connector/*quantitative_rules*": "limits of behaviour",
    "official_connector/*query_user_rate_limit*": "limits of somebody's own",
    "official_connector/*change_position_mode*": "an answer of two words, as of a margin type",
    "official_connector/*multi_assets_mode*": "several currencies",
    "official_connector/*multiple_orders*": "lists of the replies to single ones",
    "official_connector/*modify_history*": "what an order asked for before",
    "official_connector/*position_margin*": "margin moved by hand",
    "official_connector/*tradfi*": "contracts on shares",
    "official_connector/test_market_data_api__*": "statistics that nobody here asks for",
    "nautilus_py/http_futures_market_*": "statistics that nobody here asks for, and a list of contracts of 2021",
    "nautilus_py/http_futures_wallet_commission_rate_*": "other contracts",
    "nautilus_py/ws_futures_algo_update_finished_canceled*": "as finished",
    "nautilus_py/ws_futures_book_ticker*": "as the other one",
    "nautilus_py/ws_futures_depth_diff_update*": "as the other one",
    "nautilus_py/ws_futures_order_update_*": "as the others of their kinds",
    "nautilus_py/ws_futures_ticker_24hr*": "as the other one",
    "nautilus_py/ws_futures_trade_lite*": "as the other one",
    "nautilus_rs/account_update_bnfcr*": "another currency",
    "nautilus_rs/algo_update_canceled*": "as new",
    "nautilus_rs/order_update_*": "as the others of their kinds",
}
"""What this exchange does not do, or what another recording has as well."""


def test_every_recorded_payload_is_held_against_a_reply_or_is_of_something_not_done_here(shared: Path) -> None:
    folder = shared / "brokers/data/binance"
    held = Path(__file__).read_text()
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.json"))]
    forgotten = [
        name
        for name in names
        if name.rpartition("/")[2].removesuffix(".json").removeprefix("test_") not in held
        and not any(fnmatch(name, pattern) for pattern in ELSEWHERE)
    ]
    assert forgotten == []
