"""A contract that has ended is listed no more: what is told of it is understood all the same, and the rest goes on."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import Response
from standfast.model.errors import Malformed
from standfast.model.ids import InstrumentId
from standfast.model.order import MovementKind
from tests.brokers.ccxt import scripted_binance
from tests.brokers.ccxt.scripted import INSTRUMENT, Script, broker, execution_row, listed, position_row

POSITIONS, EXECUTIONS, INSTRUMENTS = "/v5/position/list", "/v5/execution/list", "/v5/market/instruments-info"
OLD = {**INSTRUMENT, "symbol": "OLDUSDT", "baseCoin": "OLD", "status": "Closed"}
NAME = InstrumentId("OLD/USDT:USDT")


def lists(script: Script, *rows: Mapping[str, Any]) -> Script:
    """As Bybit does it: who names no standing is told of what trades."""

    def told(asked: Mapping[str, str]) -> bytes:
        wanted = [row for row in rows if row["status"] == asked.get("status", "Trading")]
        return listed(*(row for row in wanted if asked.get("symbol", row["symbol"]) == row["symbol"]))

    script.answers[INSTRUMENTS] = told
    return script


async def test_the_end_of_a_contract_is_booked_by_a_guard_that_starts_after_it() -> None:
    """Its row was refused for ever, and with it every fill of the account."""
    script = lists(Script(), INSTRUMENT, OLD)
    at = broker(script)
    start = (await at.activities("")).watermark
    stamp = str(int(script.clock.now().timestamp() * 1000))
    settled = execution_row(execId="e-9", symbol="OLDUSDT", execType="Settle", side="Sell", orderId="", execTime=stamp)
    script.lists(EXECUTIONS, settled, execution_row(execTime=stamp))

    read = await at.activities(start)

    (movement,) = read.movements
    assert (movement.kind, movement.holding and movement.holding.instrument) == (MovementKind.EXPIRY, NAME)
    assert [fill.quantity for fill in read.fills] == [Decimal("0.020")]


async def test_a_position_that_waits_for_its_settlement_hides_no_other() -> None:
    script = lists(Script(), INSTRUMENT, OLD)
    at = broker(script)
    script.lists(POSITIONS, position_row(symbol="OLDUSDT"), position_row())

    rows = (await at.positions()).rows

    assert {str(holding) for holding in rows} == {"OLD/USDT:USDT", "BTC/USDT:USDT"}
    assert not (await at.instrument(NAME)).tradable


async def test_what_no_list_has_is_looked_for_once_in_a_while_and_refused() -> None:
    script = lists(Script(), INSTRUMENT, OLD)
    at = broker(script)
    script.lists(POSITIONS, position_row(symbol="NOBODYUSDT"))

    looked: list[int] = []
    for _ in range(3):
        with pytest.raises(Malformed):
            await at.positions()
        looked.append(script.paths().count(INSTRUMENTS))

    assert looked == looked[:1] * 3


async def test_what_was_listed_once_stays_known_and_is_traded_no_more() -> None:
    shelf, script = Shelf(), lists(Script(), INSTRUMENT, {**OLD, "status": "Trading"})
    at = broker(script, shelf=shelf)
    assert (await at.instrument(NAME)).tradable
    lists(script, INSTRUMENT)

    for _ in range(3):
        await script.clock.advance(4000)
        assert not (await at.instrument(NAME)).tradable
        assert len((await shelf.markets(_never, script.clock)).rows) == 2


async def test_at_binance_a_contract_that_is_not_known_any_more_hides_no_other() -> None:
    """Its money is booked, and what else was traded is told."""
    script = scripted_binance.Script()
    at = scripted_binance.broker(script)
    start = (await at.activities("")).watermark
    funding = {"incomeType": "FUNDING_FEE", "income": "-0.3", "asset": "USDT", "time": script.now, "tranId": 1}
    commission = {"incomeType": "COMMISSION", "income": "-0.1", "asset": "USDT", "time": script.now, "tranId": 2}
    script.tell("GET /fapi/v1/income", [funding | {"symbol": "OLDUSDT"}, commission | {"symbol": "BTCUSDT"}])
    unknown = Response(400, {}, b'{"code": -1121, "msg": "Invalid symbol."}')
    known = json.dumps([scripted_binance.trade_row(time=script.now)]).encode()
    script.answers["GET /fapi/v1/userTrades"] = lambda asked: unknown if asked["symbol"] == "OLDUSDT" else known

    read = await at.activities(start)

    assert [(each.holding, each.amount) for each in read.movements] == [(None, Decimal("-0.3"))]
    assert [fill.quantity for fill in read.fills] == [Decimal("0.020")]


async def _never() -> list[Any]:
    raise AssertionError("the table is young")
