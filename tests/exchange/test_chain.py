"""The made-up options market: quotes that follow the underlying, on ticks, and the same every time."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from standfast.exchange.chain import Chain, listed
from standfast.exchange.market import Market, Walk
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.script import Script
from standfast.exchange.sessions import USSessions

D = Decimal
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
DAY = date(2026, 1, 5)


def chain(*, every: int = 5) -> Chain:
    market = Market(7, [Walk(instrument="SPX", price=D(6000)), Walk(instrument="SPY", price=D(600))])
    contracts = listed("SPX", D(6000), [DAY], 3) + listed("SPY", D(600), [DAY], 3)
    return Chain(market, contracts, every=timedelta(seconds=every))


def taken(prices: Chain, seconds: int) -> list[FileQuote]:
    return list(prices.quotes(START, START + timedelta(seconds=seconds)))


def test_strikes_lie_around_the_price_and_indices_have_their_weekly_root() -> None:
    names = [contract.name for contract in listed("SPX", D(6012), [DAY], 1)]

    assert names == [f"SPXW260105{right}0{strike}000" for right in "CP" for strike in (5950, 6000, 6050)]


def test_contracts_are_quoted_with_their_underlying_as_often_as_asked() -> None:
    rows = taken(chain(), 11)

    of_one = [row for row in rows if row.instrument == "SPXW260105C06000000"]
    assert [row.at - START for row in of_one] == [timedelta(seconds=n) for n in (0, 5, 10)]
    assert [(row.at, row.instrument) for row in rows] == sorted((row.at, row.instrument) for row in rows)
    assert len([row for row in rows if row.instrument == "SPX"]) == 11


def test_the_same_again_gives_the_same_quotes() -> None:
    assert taken(chain(), 60) == taken(chain(), 60)


def test_every_quote_is_a_market_on_ticks() -> None:
    for row in taken(chain(), 120):
        if row.instrument.startswith("SPXW"):
            assert row.ask is not None
            assert row.ask % D("0.05") == 0
            assert row.bid is None or 0 < row.bid < row.ask


def test_a_put_gains_what_a_call_loses_when_the_index_falls() -> None:
    script = Script({"SPX": [(timedelta(0), "5999", "6001"), (timedelta(seconds=10), "5899", "5901")]})
    rows = list(Chain(script, listed("SPX", D(6000), [DAY], 0)).quotes(START, START + timedelta(seconds=11)))

    bids = {(row.instrument[10], row.at): row.bid for row in rows if row.bid is not None and row.instrument != "SPX"}
    after = START + timedelta(seconds=10)
    assert bids["P", after] > bids["P", START] + 70
    assert ("C", after) not in bids or bids["C", after] < bids["C", START]


def test_after_the_last_close_a_contract_is_quoted_no_more() -> None:
    market = Market(7, [Walk(instrument="SPX", price=D(6000))], sessions=USSessions(), every=timedelta(minutes=30))
    contracts = listed("SPX", D(6000), [DAY, date(2026, 1, 6)], 0)

    rows = list(Chain(market, contracts).quotes(START, START + timedelta(days=1, hours=1)))

    last = {row.instrument: row.at for row in rows}
    assert last["SPXW260105C06000000"] < datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
    assert last["SPXW260106C06000000"] > datetime(2026, 1, 6, 14, 0, tzinfo=UTC)
