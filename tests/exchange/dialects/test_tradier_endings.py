"""What happens to a spread without its owner, as a Tradier account sees it: assignment, liquidation, expiry."""

from datetime import timedelta
from typing import Any

from tests.exchange.dialects.test_tradier_orders import SPREAD
from tests.exchange.dialects.tradier_desk import TradierDesk, each, multileg, tradier_desk
from tests.exchange.option_desk import CLOSE, P595, P600, X3700, X3800

NIGHT = CLOSE + timedelta(hours=12)


async def sim(desk: TradierDesk, verb: str, **body: object) -> tuple[int, Any]:
    async with desk.session.post(f"{desk.server.url}/sim/{verb}", json=body) as reply:
        return reply.status, await reply.json()


async def endings(desk: TradierDesk) -> list[tuple[str, float, float]]:
    """The rows of the next morning's history that name no contract, oldest first."""
    desk.venue.advance(NIGHT)
    events = each((await desk.get("@/history?type=option"))["history"], "event")
    return [(row["option"]["option_type"], row["option"]["quantity"], row["amount"]) for row in reversed(events)]


async def test_a_short_put_is_assigned_early_and_shares_arrive() -> None:
    async with tradier_desk() as desk:
        await desk.place_form(SPREAD)

        assert (await sim(desk, "assign", instrument=P600))[0] == 200

        assert await desk.held() == {P595: 2.0, "SPY": 200.0}
        assert await endings(desk) == [("OPTASN", 2.0, 0.0), ("OPTEXP", -2.0, 0.0)]


async def test_an_index_option_cannot_be_assigned_early() -> None:
    async with tradier_desk() as desk:
        status, reply = await sim(desk, "assign", instrument=X3800)

        assert (status, "European" in reply["error"]) == (400, True)


async def test_the_long_put_is_exercised_against_the_shares_of_the_short() -> None:
    async with tradier_desk() as desk:
        await desk.place_form(SPREAD)
        await sim(desk, "assign", instrument=P600)

        await sim(desk, "exercise", instrument=P595)

        assert await desk.held() == {}


async def test_the_broker_closes_one_leg_with_an_order_nobody_sent() -> None:
    async with tradier_desk() as desk:
        await desk.place_form(SPREAD)

        await sim(desk, "liquidate", instrument=P600)

        assert await desk.held() == {P595: 2.0}
        *_, order = (await desk.get("@/orders?includeTags=true"))["orders"]["order"]
        assert (order["side"], order["status"], order["option_symbol"], "tag" in order) == (
            "buy_to_close",
            "filled",
            P600,
            False,
        )


async def test_out_of_the_money_a_spread_expires_in_the_evening() -> None:
    async with tradier_desk() as desk:
        await desk.place_form(SPREAD)
        desk.venue.advance(CLOSE + timedelta(hours=1))

        assert await desk.held() == {}
        assert await endings(desk) == [("OPTEXP", -2.0, 0.0), ("OPTEXP", 2.0, 0.0)]


async def test_in_the_money_an_index_spread_is_settled_in_cash_and_no_shares_come() -> None:
    async with tradier_desk() as desk:
        desk.quote(X3800, "3.00", "3.10")
        desk.quote(X3700, "0.10", "0.20")
        await desk.place_form(multileg("SPX", "market", None, (X3800, "sell_to_open", 1), (X3700, "buy_to_open", 1)))
        await sim(desk, "settlement", underlying="SPX", day="2026-10-09", price="3690")

        assert await endings(desk) == [("OPTEXR", -1.0, 1000.0), ("OPTASN", 1.0, -11000.0)]
        assert await desk.held() == {}
        balances = (await desk.get("@/balances"))["balances"]
        assert (balances["total_cash"], balances["option_requirement"]) == (100_000 + 280 - 10_000, 0.0)
