"""Whatever a client sends, it gets an answer that is not our fault."""

import asyncio
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.asked import BUY, asking

PATHS = [
    "/v2/account", "/v2/account/configurations", "/v2/account/activities", "/v2/account/activities/FILL",
    "/v2/positions", "/v2/positions/SPY", "/v2/positions/ZZZZ", "/v2/orders", "/v2/orders/{id}", "/v2/orders/nobody",
    "/v2/orders:by_client_order_id", "/v2/clock", "/v3/clock", "/v2/calendar", "/v3/calendar/NYSE", "/v2/assets",
    "/v2/assets/SPY", "/v2/stocks/quotes/latest", "/v2/stocks/SPY/quotes/latest", "/v2/stocks/snapshots",
    "/v2/stocks/trades/latest", "/v2/iex", "/stream", "/sim/quote", "/sim/order", "/sim/rules", "/sim/fills",
    "/sim/fill", "/sim/faults", "/sim/advance", "/sim/split", "/sim/bust", "/sim/liquidate", "/sim/cash",
    "/sim/session",
]  # fmt: skip
METHODS = ["GET", "POST", "PATCH", "DELETE"]
NAMES = [
    "status", "limit", "after", "until", "direction", "nested", "symbols", "side", "asset_class", "after_order_id",
    "before_order_id", "page_size", "page_token", "date", "category", "activity_types", "qty", "percentage", "start",
    "end", "feed", "client_order_id", "cancel_orders",
]  # fmt: skip
KEYS = [
    "symbol", "qty", "side", "type", "time_in_force", "limit_price", "stop_price", "notional", "trail_price",
    "trail_percent", "order_class", "take_profit", "stop_loss", "position_intent", "extended_hours",
    "client_order_id", "trail", "instrument", "bid", "ask", "quantity", "price", "order_id", "ratio", "amount",
    "seconds", "to", "account", "is_open", "suspend_trade",
]  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        ["SPY", "KO", "buy", "sell", "market", "limit", "stop", "stop_limit", "trailing_stop", "day", "gtc", "ioc",
         "fok", "opg", "cls", "bracket", "oco", "oto", "1", "0", "-1", "0.5", "100", "1e9", "1e-9", "590", "700",
         "all", "closed", "2026-01-05", "0001-01-01", "9999-12-31", "2026-01-05T15:00:00Z", "NaN", "", "true", None,
         {"limit_price": "700"}, {"stop_price": "500"}, {"stop_price": "500", "limit_price": "499"}, []]
    ),
    st.text(max_size=8),
    st.integers(-5, 1000),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
BODIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=10).map(lambda drawn: BUY | drawn)
REQUESTS = st.tuples(
    st.sampled_from(METHODS),
    st.sampled_from(PATHS),
    st.dictionaries(st.sampled_from(NAMES), VALUES.map(str), max_size=3),
    st.one_of(BODIES, BODIES, st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), st.just([])),
)


@settings(max_examples=60)
@given(st.lists(REQUESTS, min_size=5, max_size=25))
def test_no_request_breaks_the_exchange(requests: list[tuple[str, str, dict[str, str], object]]) -> None:
    async def ask_all() -> None:
        async with asking() as asker:
            resting = await asker.submit(symbol="KO", type="limit", limit_price="80")
            for method, path, query, body in requests:
                asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
                answer = await asker.ask(method, f"{path.format(id=resting['id'])}?{asked}", body)
                assert answer.status < 500, (method, path, query, msgspec.json.encode(body), answer)

    asyncio.run(ask_all())
