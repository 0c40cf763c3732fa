"""Every recorded SPXW day plays from its first quote to its last, and what ends with the day is paid for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.exchange.contracts import contract_of
from standfast.exchange.orders import Intent, Side, Terms, Ticket
from standfast.exchange.quotes_file import FileQuote, quotes
from standfast.exchange.server import USUAL_ACCOUNTS, Options, build

DAYS = ("20210105", "20210106", "20210107")
D = Decimal


def recording(shared: Path, day: str) -> Path:
    return shared / "data/market/indexoption/spxw" / f"{day}_quote_european.zip"


@pytest.mark.parametrize("day", DAYS)
def test_a_recorded_day_ends_on_its_last_quotes(shared: Path, day: str) -> None:
    path = recording(shared, day)
    last: dict[str, FileQuote] = {}
    for quote in quotes(path):
        last[quote.instrument] = quote
    venue = build(Options(dialect="tradier", replay=(path,), speed=None, accounts=USUAL_ACCOUNTS["tradier"]))

    venue.advance(max(quote.at for quote in last.values()))

    closes = venue.now.replace(hour=21, minute=0)
    for name, quote in last.items():
        shown = venue.last_quote(name)
        assert shown is not None
        assert (shown.bid, shown.ask) == (quote.bid or D(0), quote.ask or D(0))
        assert shown.at >= max(quote.at, closes - timedelta(minutes=1))  # told again where nothing changed
    venue.stop()


def test_what_ends_on_the_day_is_settled_and_the_rest_stays(shared: Path) -> None:
    path = recording(shared, "20210106")
    venue = build(Options(dialect="tradier", replay=(path,), speed=None, accounts=USUAL_ACCOUNTS["tradier"]))
    engine = venue.engine
    venue.advance(datetime(2021, 1, 6, 15, 0, tzinfo=UTC))
    names = [asset.instrument for asset in engine.assets() if contract_of(asset.instrument) is not None]
    paid = D(0)
    for name in names:
        terms = Terms(instrument=name, side=Side.BUY, quantity=D(1))
        order = engine.submit("paper", Ticket(terms=terms, intent=Intent.BUY_TO_OPEN))
        paid += engine.order("paper", order.id).filled_value
    engine.announce_settlement("SPX", datetime(2021, 1, 6, tzinfo=UTC).date(), D("3748.14"))

    venue.advance(datetime(2021, 1, 6, 21, 0, tzinfo=UTC) + timedelta(hours=1))

    held = {view.instrument for view in engine.positions("paper")}
    ending = {name for name in names if name.startswith("SPXW210106")}
    assert (len(names), len(ending), held) == (16, 4, set(names) - ending)
    assert engine.account("paper").cash == 100_000 - 100 * paid + 100 * (D("48.14") + D("51.86"))
    venue.stop()
