"""Tradier's lists over days, under faults, and within their budgets."""

from datetime import timedelta

from standfast.exchange.dialects.tradier import Limits
from tests.exchange.dialects.test_tradier_orders import OPTION, STOCK
from tests.exchange.dialects.tradier_desk import TradierDesk, each, tradier_desk
from tests.exchange.option_desk import C600, CLOSE


async def numbers(desk: TradierDesk, query: str = "") -> list[int]:
    return [row["id"] for row in each((await desk.get(f"@/orders{query}"))["orders"], "order")]


async def test_orders_of_other_days_are_listed_only_with_a_filter_and_in_pages() -> None:
    async with tradier_desk() as desk:
        done = await desk.place(**STOCK)
        resting = await desk.place(**STOCK | {"type": "limit", "price": "500", "duration": "gtc"})
        desk.venue.advance(CLOSE + timedelta(days=3))  # Monday

        assert await numbers(desk) == [resting]
        assert await numbers(desk, "?filter=all") == [done, resting]
        assert await numbers(desk, "?filter=all&limit=1&page=2") == [resting]
        assert await numbers(desk, "?filter=all&end=2026-10-08") == []
        assert (await desk.order(done))["status"] == "filled"


async def test_a_day_order_dies_cancelled_a_little_after_the_close() -> None:
    async with tradier_desk() as desk:
        number = await desk.place(**OPTION | {"price": "1.00"})

        desk.venue.advance(CLOSE + timedelta(seconds=49))
        desk.quote(C600, "0.50", "0.60")
        assert (await desk.order(number))["status"] == "open"
        desk.venue.advance(CLOSE + timedelta(seconds=50))

        assert (await desk.order(number))["status"] == "canceled"


async def test_positions_trail_the_orders_and_say_when_they_came() -> None:
    async with tradier_desk(lag=0.1) as desk:
        row = await desk.order(await desk.place(**STOCK))
        assert await desk.held() == {}

        desk.wait(0.1)

        (position,) = each((await desk.get("@/positions"))["positions"], "position")
        assert (row["transaction_date"], position["date_acquired"]) == (
            "2026-10-09T14:00:00.000Z",
            "2026-10-09T14:00:00.100Z",
        )


async def test_a_contract_stays_listed_for_an_hour_after_its_last_day() -> None:
    async with tradier_desk() as desk:
        await desk.place(**OPTION)
        desk.quote("SPY", "590.00", "590.02")

        desk.venue.advance(CLOSE + timedelta(minutes=59))
        assert await desk.held() == {C600: 2.0}
        desk.venue.advance(CLOSE + timedelta(minutes=60))
        assert await desk.held() == {}


# Budgets


async def test_each_kind_of_request_has_its_budget_and_says_what_is_left() -> None:
    async with tradier_desk(limits=Limits(reads=2, market=1, trades=1)) as desk:
        first = await desk.ask("GET", "@/positions")
        assert [first.headers[f"X-Ratelimit-{word}"] for word in ("Allowed", "Used", "Available")] == ["2", "1", "1"]
        assert int(first.headers["X-Ratelimit-Expiry"]) == 1_791_554_460_000  # a minute after the first request
        await desk.ask("GET", "@/orders")
        exhausted = await desk.ask("GET", "@/balances")
        assert (exhausted.status, "fault" in exhausted.json) == (429, True)

        assert (await desk.ask("GET", "/markets/clock")).status == 200
        assert (await desk.place_form(STOCK)).status == 200
        assert (await desk.place_form(STOCK)).status == 429
        desk.wait(60)
        assert (await desk.ask("GET", "@/positions")).status == 200


async def test_who_does_not_ask_for_json_gets_xml() -> None:
    async with tradier_desk() as desk:
        await desk.place(**STOCK)
        answer = await desk.ask("GET", "@/positions", Accept="*/*")

        assert answer.headers["Content-Type"].startswith("application/xml")
        assert b"<positions><position><cost_basis>6010.2</cost_basis>" in answer.body


async def test_a_filled_order_may_not_know_its_price_yet() -> None:
    async with tradier_desk(price_lag=0.05) as desk:
        number = await desk.place(**OPTION)
        early = await desk.order(number)
        desk.wait(0.05)
        late = await desk.order(number)

        assert [(row["status"], row["exec_quantity"], row["avg_fill_price"]) for row in (early, late)] == [
            ("filled", 2.0, 0.0),
            ("filled", 2.0, 3.1),
        ]


async def test_the_sandbox_keeps_no_order_overnight() -> None:
    async with tradier_desk(is_sandbox=True) as desk:
        number = await desk.place(**STOCK | {"type": "limit", "price": "500", "duration": "gtc"})

        desk.venue.advance(CLOSE + timedelta(minutes=1))

        assert (await desk.order(number))["status"] == "canceled"
