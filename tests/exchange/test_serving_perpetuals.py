"""A served perpetual exchange from options: made-up prices, recorded ones, a script of faults."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.exchange.server import USUAL_ACCOUNTS, USUAL_INSTRUMENTS, Options, build_perpetuals
from tests.exchange.perpetual.desk import BUY, ticket

BYBIT = Options(dialect="bybit", accounts=USUAL_ACCOUNTS["bybit"], instruments=USUAL_INSTRUMENTS["bybit"], speed=None)
RECORDED = ("bybit/btcusdt", "binance/adausdt")


def test_a_made_up_market_moves_day_and_night() -> None:
    hall = build_perpetuals(BYBIT)
    hall.jump(hall.now + timedelta(hours=20))
    for name, price in USUAL_INSTRUMENTS["bybit"].items():
        quote = hall.last_quote(name)
        assert quote is not None
        assert hall.now - quote.at < timedelta(seconds=2)
        assert price / 2 < quote.bid < price * 2


@pytest.mark.parametrize("recorded", RECORDED)
def test_real_quotes_of_a_perpetual_drive_it(shared: Path, recorded: str) -> None:
    path = shared / "data/market/cryptofuture" / recorded / "20221213_quote.zip"
    symbol = recorded.rpartition("/")[2].upper()
    hall = build_perpetuals(Options(dialect="bybit", replay=(path,), speed=None))
    assert hall.now == datetime(2022, 12, 13, tzinfo=UTC)
    hall.jump(hall.now + timedelta(hours=3))
    prices = hall.engine.prices(symbol)
    assert prices.quote is not None
    assert prices.mark == prices.quote.middle
    assert prices.count > 100
    hall.stop()


def test_a_position_lives_through_a_recorded_day_with_its_funding(shared: Path) -> None:
    path = shared / "data/market/cryptofuture/bybit/btcusdt/20221213_quote.zip"
    hall = build_perpetuals(Options(dialect="bybit", replay=(path,), speed=None))
    hall.jump(hall.now + timedelta(minutes=5))
    hall.engine.submit("paper", ticket(BUY, "0.1"))
    bought = hall.engine.books("paper").executions[0].price
    hall.jump(hall.now + timedelta(hours=12))
    kinds = [row.kind.value for row in hall.engine.books("paper").executions]
    mark = hall.engine.prices("BTCUSDT").mark
    assert kinds == ["trade", "funding"]
    assert mark is not None
    books = hall.engine.books("paper")
    assert hall.engine.equity("paper") == books.wallet + Decimal("0.1") * (mark - bought)
    hall.stop()


def test_a_fault_script_is_read_from_a_file(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"operation": "positions", "fault": {"kind": "stale", "age": 0, "at_most": 30}}]))
    options = Options(dialect="bybit", accounts=BYBIT.accounts, instruments=BYBIT.instruments, faults=script)
    hall = build_perpetuals(options)
    assert hall.faults.decide("positions", None, hall.now) is not None
