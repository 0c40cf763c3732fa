"""Whatever a client sends in Tradier's dialect, it gets an answer that is not our fault."""

import asyncio
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.dialects.test_tradier_orders import OPTION, SPREAD, STOCK
from tests.exchange.dialects.tradier_desk import tradier_desk
from tests.exchange.option_desk import C600, C605, P600, X3800

PATHS = [
    "/user/profile", "@/balances", "@/positions", "@/orders", "@/orders/{id}", "@/orders/nobody", "@/orders/88000001",
    "@/orders/99999999999999999999", "@/history", "@/gainloss", "/accounts/x/orders", "/markets/quotes",
    "/markets/options/chains", "/markets/options/expirations", "/markets/options/strikes", "/markets/clock",
    "/markets/calendar", "/accounts/events/session", "/markets/events/session", "/accounts/events", "/markets/events",
]  # fmt: skip
METHODS = ["GET", "POST", "POST", "PUT", "DELETE"]
QUERY = ["symbols", "symbol", "greeks", "expiration", "filter", "start", "end", "page", "limit", "includeTags", "type",
         "month", "year"]  # fmt: skip
KEYS = ["class", "symbol", "option_symbol", "side", "quantity", "type", "price", "stop", "duration", "tag", "preview",
        "symbols", *(f"{name}[{n}]" for n in (0, 1, 2, 7) for name in ("option_symbol", "side", "quantity", "type",
        "price", "stop", "symbol", "duration"))]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        ["SPY", "SPX", C600, C605, P600, X3800, "buy", "sell", "sell_short", "buy_to_cover", "buy_to_open",
         "sell_to_open", "buy_to_close", "sell_to_close", "market", "limit", "stop", "stop_limit", "debit", "credit",
         "even", "day", "gtc", "pre", "post", "equity", "option", "multileg", "combo", "oco", "oto", "otoco", "1", "2",
         "100", "0", "-1", "0.5", "1e9", "1e-9", "NaN", "Infinity", "", "true", "all", "2026-10-09", "0001-01-01", "13"]
    ),
    st.text(max_size=8),
)  # fmt: skip
FORMS = st.tuples(
    st.sampled_from([STOCK, OPTION, SPREAD, {}]), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
)
REQUESTS = st.tuples(
    st.sampled_from(METHODS),
    st.sampled_from(PATHS),
    st.dictionaries(st.sampled_from(QUERY), VALUES, max_size=3),
    FORMS.map(lambda both: both[0] | both[1]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(REQUESTS, min_size=5, max_size=25))
def test_no_request_breaks_the_exchange(requests: list[tuple[str, str, dict[str, str], dict[str, str]]]) -> None:
    async def ask_all() -> None:
        async with tradier_desk() as desk:
            resting = await desk.place(**OPTION | {"price": "1.00"})
            for method, path, query, form in requests:
                asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
                answer = await desk.ask(method, f"{path.format(id=resting)}?{asked}", form or None)
                assert answer.status < 500, (method, path, query, form, answer)

    asyncio.run(ask_all())
