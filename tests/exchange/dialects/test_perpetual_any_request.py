"""Whatever a client sends in Bybit's or Binance's dialect, it gets an answer that is not our fault."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.exchange.dialects.bybit.wire import milliseconds
from tests.exchange.dialects.binance_desk import binance_desk
from tests.exchange.dialects.bybit_desk import ADA, BTC, bybit_desk

BYBIT_READS = [
    "order/realtime", "order/history", "position/list", "execution/list", "position/closed-pnl", "user/query-api",
    "account/info", "account/wallet-balance", "account/fee-rate", "account/transaction-log", "asset/coin/query-info",
    "market/time", "market/instruments-info", "market/tickers", "market/orderbook", "market/recent-trade",
    "market/kline", "market/funding/history", "market/risk-limit", "market/price-limit",
]  # fmt: skip
BYBIT_WRITES = [
    "order/create", "order/amend", "order/cancel", "order/cancel-all", "order/create-batch", "order/amend-batch",
    "order/cancel-batch", "position/trading-stop", "position/set-leverage", "position/switch-mode",
    "position/switch-isolated", "account/set-margin-mode", "order/disconnected-cancel-all",
]  # fmt: skip
BYBIT_KEYS = [
    "category", "symbol", "side", "orderType", "qty", "price", "timeInForce", "positionIdx", "orderLinkId", "orderId",
    "reduceOnly", "closeOnTrigger", "triggerPrice", "triggerDirection", "triggerBy", "stopLoss", "takeProfit",
    "tpslMode", "slSize", "tpSize", "slLimitPrice", "slOrderType", "trailingStop", "activePrice", "buyLeverage",
    "sellLeverage", "mode", "coin", "setMarginMode", "timeWindow", "request", "limit", "cursor", "startTime",
    "endTime", "settleCoin", "orderFilter", "openOnly", "execType", "interval", "accountType", "status",
]  # fmt: skip
BINANCE_PATHS = [
    "v1/order", "v1/order/test", "v1/openOrder", "v1/openOrders", "v1/allOrders", "v1/forceOrders", "v1/batchOrders",
    "v1/allOpenOrders", "v1/algoOrder", "v1/openAlgoOrders", "v1/allAlgoOrders", "v1/algoOpenOrders",
    "v3/positionRisk", "v2/positionRisk", "v3/account", "v2/account", "v3/balance", "v1/userTrades", "v1/income",
    "v1/commissionRate", "v1/leverageBracket", "v1/positionSide/dual", "v1/symbolConfig", "v1/leverage",
    "v1/marginType", "v1/countdownCancelAll", "v1/listenKey", "v1/exchangeInfo", "v1/premiumIndex",
    "v1/ticker/bookTicker", "v1/ticker/24hr", "v1/depth", "v1/trades", "v1/klines", "v1/fundingRate",
]  # fmt: skip
BINANCE_KEYS = [
    "symbol", "side", "type", "quantity", "price", "timeInForce", "positionSide", "newClientOrderId", "orderId",
    "origClientOrderId", "reduceOnly", "closePosition", "triggerPrice", "callbackRate", "activatePrice", "workingType",
    "algoType", "algoId", "clientAlgoId", "leverage", "marginType", "dualSidePosition", "countdownTime", "batchOrders",
    "limit", "startTime", "endTime", "fromId", "incomeType", "interval", "orderidlist",
]  # fmt: skip
TEXTS = [
    BTC, ADA, "NOUSDT", "linear", "spot", "Buy", "Sell", "BUY", "SELL", "Market", "Limit", "MARKET", "LIMIT", "STOP",
    "STOP_MARKET", "TAKE_PROFIT", "TRAILING_STOP_MARKET", "CONDITIONAL", "GTC", "IOC", "FOK", "PostOnly", "GTX", "BOTH",
    "LONG", "SHORT", "0", "1", "2", "3", "0.1", "0.001", "40000", "49000", "50000", "55000", "1e9", "1e-9", "-1", "NaN",
    "Infinity", "", "true", "false", "mine", "Full", "Partial", "LastPrice", "MarkPrice", "StopOrder", "USDT", "1m",
    "ISOLATED", "ISOLATED_MARGIN", "after%3A1", "[]", "[{}]", '[{"symbol":"BTCUSDT"}]', "99999999999999999999",
    "1767574800000",
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(TEXTS), st.text(max_size=6))
BODIES = st.dictionaries(
    st.sampled_from(BYBIT_KEYS),
    st.one_of(
        VALUES, st.booleans(), st.integers(-1, 3), st.none(), st.lists(st.dictionaries(VALUES, VALUES), max_size=2)
    ),
    max_size=9,
)
ORDER: dict[str, object] = {"category": "linear", "symbol": BTC, "side": "Buy", "orderType": "Market", "qty": "0.1"}
FORM = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "0.1"}
STARTS = st.sampled_from([ORDER, {"category": "linear", "symbol": BTC}, {}])
FORMS = st.dictionaries(st.sampled_from(BINANCE_KEYS), VALUES, max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("GET"),
                st.sampled_from(BYBIT_READS),
                STARTS,
                FORMS | st.dictionaries(st.sampled_from(BYBIT_KEYS), VALUES, max_size=5),
            ),
            st.tuples(st.just("POST"), st.sampled_from(BYBIT_WRITES), STARTS, BODIES),
        ),
        min_size=5,
        max_size=25,
    )
)
def test_no_request_breaks_the_simulated_bybit(
    requests: list[tuple[str, str, dict[str, object], dict[str, object]]],
) -> None:
    async def ask_all() -> None:
        async with bybit_desk() as desk:
            for method, path, start, more in requests:
                reply = await desk.ask(method, path, start | more)
                assert isinstance(reply["retCode"], int), (method, path, start, more, reply)

    asyncio.run(ask_all())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "POST", "PUT", "DELETE"]),
            st.sampled_from(BINANCE_PATHS),
            st.sampled_from([FORM, {"symbol": BTC}, {}]),
            FORMS,
        ),
        min_size=5,
        max_size=25,
    )
)
def test_no_request_breaks_the_simulated_binance(
    requests: list[tuple[str, str, dict[str, str], dict[str, str]]],
) -> None:
    async def ask_all() -> None:
        async with binance_desk() as desk:
            for method, path, start, more in requests:
                answer = await desk.ask(method, path, start | more)
                assert answer.status < 500, (method, path, start, more, answer)

    asyncio.run(ask_all())


def test_the_stamp_among_the_texts_is_one_of_the_desks_own_time() -> None:
    async def now() -> int:
        async with bybit_desk() as desk:
            return milliseconds(desk.venue.now)

    assert str(asyncio.run(now())) in TEXTS
