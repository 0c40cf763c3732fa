"""What a perpetual exchange writes down for whoever judges its clients."""

import json
from pathlib import Path

from standfast.exchange.perpetual_tape import PerpetualTape
from tests.exchange.dialects.bybit_desk import bybit_desk


async def test_an_order_is_written_as_it_arrived_with_the_net_then_and_what_became_of_it(tmp_path: Path) -> None:
    path = tmp_path / "tape.jsonl"
    async with bybit_desk() as desk:
        with PerpetualTape(desk.venue, path):
            await desk.place("Buy", "0.1", orderLinkId="mine")
            order = await desk.place("Sell", "0.1", triggerPrice="45000", triggerDirection=2, reduceOnly=True)
            await desk.post("order/amend", orderId=order, triggerPrice="46000")
            await desk.post("order/cancel", orderId=order)
        await desk.place("Buy", "0.1")

    rows = [json.loads(line) for line in path.read_text().splitlines()]
    asked = [(row["what"], row["side"], row["net"], row["reduce_only"]) for row in rows if row["row"] == "asked"]
    assert asked == [
        ("submit", "buy", "0", False),
        ("submit", "sell", "0.100", True),
        ("amend", "sell", "0.100", True),
        ("cancel", "sell", "0.100", True),
    ]
    fills = [(row["price"], row["net"], row["cause"]) for row in rows if row.get("kind") == "execution"]
    assert fills == [("50000.1", "0.100", "trade")]
    assert [row["operation"] for row in rows if row["row"] == "answered"] == ["submit", "submit", "replace", "cancel"]
