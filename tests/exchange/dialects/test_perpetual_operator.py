"""What the operator of a perpetual exchange can do, over HTTP."""

from decimal import Decimal
from typing import Any

from tests.exchange.dialects.bybit_desk import BTC, BybitDesk, bybit_desk


async def act(desk: BybitDesk, name: str, **body: object) -> Any:
    async with desk.session.post(f"{desk.server.url}/sim/{name}", json=body) as reply:
        return await reply.json()


async def truth(desk: BybitDesk) -> Any:
    async with desk.session.get(f"{desk.server.url}/sim/truth") as reply:
        return (await reply.json())["accounts"]["main"]


async def test_somebody_else_trades_on_the_account() -> None:
    async with bybit_desk() as desk:
        await act(desk, "order", instrument=BTC, side="buy", quantity="0.1")
        stop = await act(
            desk, "order", instrument=BTC, side="sell", quantity="0.1", trigger_price="49000", reduce_only=True
        )
        resting = await act(desk, "order", instrument=BTC, side="buy", quantity="0.2", price="40000")
        assert await desk.held() == {(BTC, 0): "0.1"}
        await act(desk, "cancel", order_id=stop["id"])
        await act(desk, "fill", order_id=resting["id"], quantity="0.2", price="40000")
        said = await truth(desk)
        assert (said["positions"][0]["quantity"], said["orders"]) == ("0.300", [])
        assert [Decimal(row["quantity"]) for row in said["fills"]] == [Decimal("0.1"), Decimal("0.2")]


async def test_a_price_is_held_and_let_go() -> None:
    async with bybit_desk() as desk:
        await act(desk, "pin", instrument=BTC, by="mark", price="45000")
        (row,) = (await desk.get("market/tickers", symbol=BTC))["list"]
        assert (row["markPrice"], row["bid1Price"]) == ("45000", "50000")
        await act(desk, "pin", instrument=BTC, by="mark")
        (row,) = (await desk.get("market/tickers", symbol=BTC))["list"]
        assert row["markPrice"] == "50000.05"


async def test_what_nobody_asked_for_can_be_brought_about() -> None:
    async with bybit_desk() as desk:
        await act(desk, "mode", instrument=BTC, leverage="20", hedged=True)
        for index, side in ((1, "buy"), (2, "sell")):
            await act(desk, "order", instrument=BTC, side=side, quantity="0.3", index=index)
        await act(desk, "fund", instrument=BTC, rate="0.0002")
        await act(desk, "deleverage", instrument=BTC, index=1, quantity="0.1")
        await act(desk, "liquidate", instrument=BTC, index=2)
        await act(desk, "settle", instrument=BTC, price="50000")
        kinds = [row["kind"] for row in (await truth(desk))["fills"]]
        assert kinds == ["trade", "trade", "funding", "funding", "adl", "liquidation", "settlement"]


async def test_time_prices_faults_and_rules_are_the_operators() -> None:
    async with bybit_desk() as desk:
        before = desk.venue.now
        await act(desk, "advance", seconds=5)
        assert (desk.venue.now - before).total_seconds() == 5
        await act(desk, "quote", instrument=BTC, bid="51000", ask="51000.1")
        assert (await desk.get("market/tickers", symbol=BTC))["list"][0]["bid1Price"] == "51000"
        await desk.session.post(
            f"{desk.server.url}/sim/faults", json=[{"operation": "positions", "fault": {"kind": "empty"}}]
        )
        await desk.place("Buy", "0.1")
        assert await desk.held() == {}
        assert (await act(desk, "rules", conditional_max=3))["conditional_max"] == 3
        await act(desk, "fills", mine=["0.5", "0"])
        order = await desk.place("Buy", "0.1", orderType="Limit", price="52000", orderLinkId="mine")
        assert (await desk.order(order))["cumExecQty"] == "0.05"
        await act(desk, "cash", amount="-1000")
        await act(desk, "halt", instrument=BTC)
        await act(desk, "resume", instrument=BTC)
        assert (await truth(desk))["fills"]


async def test_what_cannot_be_is_refused_in_words() -> None:
    async with bybit_desk() as desk:
        assert "holds no" in (await act(desk, "liquidate", instrument=BTC))["error"]
        assert "no such rule" in (await act(desk, "rules", nonsense=1))["error"]
        assert "NOUSDT" in (await act(desk, "fund", instrument="NOUSDT"))["error"]
