"""Tradier's nightly history and gain/loss."""

from datetime import timedelta
from pathlib import Path

from tests.exchange.dialects.test_tradier_orders import OPTION, STOCK
from tests.exchange.dialects.test_tradier_recorded import payload
from tests.exchange.dialects.tradier_desk import TradierDesk, each, tradier_desk, unlike
from tests.exchange.option_desk import C600, CLOSE, P600

TOMORROW = CLOSE + timedelta(hours=12)


async def a_day(desk: TradierDesk) -> None:
    """Two calls that expire, a short put that is assigned, ten shares bought and sold."""
    await desk.place(**OPTION)
    put = {"option_symbol": P600, "side": "sell_to_open", "quantity": "1", "price": "2.00"}
    await desk.place(**OPTION | put)
    await desk.place(**STOCK)
    await desk.place(**STOCK | {"side": "sell"})
    desk.quote("SPY", "590.00", "590.02")


async def test_nothing_of_today_is_in_it() -> None:
    async with tradier_desk() as desk:
        await a_day(desk)

        assert await desk.get("@/history") == {"history": "null"}
        assert await desk.get("@/gainloss") == {"gainloss": "null"}


async def test_the_next_morning_it_has_trades_with_symbols_and_endings_without(shared: Path) -> None:
    async with tradier_desk() as desk:
        await a_day(desk)
        desk.venue.advance(TOMORROW)

        events = each((await desk.get("@/history?limit=100"))["history"], "event")

        examples = {row["type"]: row for row in payload(shared, "docs_examples/history.json")["history"]["event"]}
        assert [line for row in events for line in unlike(row, examples[row["type"]])] == []
        endings = [(row["amount"], row["option"]) for row in events if row["type"] == "option"]
        assert [(ended["option_type"], ended["quantity"]) for _, ended in endings] == [
            ("OPTASN", 1.0),
            ("OPTEXP", -2.0),
        ]
        assert all(amount == 0.0 for amount, _ in endings)
        trades = [(row["trade"]["symbol"], row["trade"]["quantity"], row["amount"]) for row in events if "trade" in row]
        assert trades == [
            ("SPY", 100.0, -60000.0),
            ("SPY", -10.0, 6010.0),
            ("SPY", 10.0, -6010.2),
            (P600, -1.0, 200.0),
            (C600, 2.0, -620.0),
        ]
        assert {row["date"] for row in events} == {"2026-10-09T00:00:00Z"}


async def test_it_is_paged_and_filtered() -> None:
    async with tradier_desk() as desk:
        await a_day(desk)
        desk.venue.advance(TOMORROW)

        options = await desk.get("@/history?type=option&limit=1&page=2")
        assert options["history"]["event"]["option"]["option_type"] == "OPTEXP"
        assert await desk.get("@/history?start=2026-10-10") == {"history": "null"}


async def test_gain_and_loss_of_what_was_closed(shared: Path) -> None:
    async with tradier_desk() as desk:
        await a_day(desk)
        desk.venue.advance(TOMORROW)

        found = await desk.get("@/gainloss")

        assert unlike(found, payload(shared, "docs_examples/gainloss.json")) == []
        rows = {
            row["symbol"]: (row["cost"], row["proceeds"], row["gain_loss"])
            for row in found["gainloss"]["closed_position"]
        }
        assert rows == {
            "SPY": (6010.2, 6010.0, -0.2),
            C600: (620.0, 0.0, -620.0),
            P600: (0.0, 200.0, 200.0),
        }


async def test_the_sandbox_has_no_history() -> None:
    async with tradier_desk(is_sandbox=True) as desk:
        assert (await desk.ask("GET", "@/history")).status == 404
